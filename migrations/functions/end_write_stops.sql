-- Ends these stops, all of them or none. A row for each: the name of the repository, and whether writes were stopped.
create function lockstep.end_write_stops(p_repositories uuid[], p_author text) returns table (name text, stopped boolean)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with held as (
    select r.name, l.id, l.reason
    from unnest(p_repositories) target left join lockstep.repository r on r.id = target
    left join lockstep.write_stop l on l.repository_id is not distinct from target),
  gone as (
    delete from lockstep.write_stop l using held
    where l.id = held.id and not exists (select from held where held.id is null) returning l.id),
  noted as (
    insert into lockstep.audit (author, action, repository, detail)
    select p_author, 'allow writes', held.name, jsonb_build_object('reason', held.reason) from held join gone using (id))
  select held.name, held.id is not null from held
$$;
