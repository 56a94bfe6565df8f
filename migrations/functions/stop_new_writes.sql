-- Refuses writes that are not staged yet, to these repositories. null: to all. If writes are stopped already, only the
-- reason and the author change. It waits for the writes that are just being decided without a row that others see
-- (bump). Such a write either ends before this returns, or it finds the stop.
create function lockstep.stop_new_writes(p_repositories uuid[], p_author text, p_reason text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(hashtext('lockstep.stops'));
  with stopped as (
    insert into lockstep.write_stop (repository_id, reason, author)
    select target, p_reason, p_author from unnest(p_repositories) target order by target
    on conflict (coalesce(repository_id, '00000000-0000-0000-0000-000000000000'))
      do update set reason = excluded.reason, author = excluded.author
    returning repository_id, reason)
  insert into lockstep.audit (author, action, repository, detail)
  select p_author, 'stop writes', r.name, jsonb_build_object('reason', stopped.reason)
  from stopped left join lockstep.repository r on r.id = stopped.repository_id
$$;
