-- Deletes rows of one repository that was removed and cannot be restored any more, once every device has freed its
-- files. It deletes at most p_limit rows of the log, the refs or the writes. When none are left, it deletes the
-- repository. Returns how many rows went; null: nothing is due. The rows stay for a day at least, for callers who ask
-- for the outcome of a write.
create function lockstep.purge_removed(p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  due lockstep.repository%rowtype;
  deleted integer;
begin
  -- now() and not clock_timestamp(): an index is searched only for a value that does not change meanwhile.
  select * into due from lockstep.repository r
    where r.removed_at is not null and r.removed_at < now() - interval '1 day' and r.keep_until <= now()
      and not exists (select from lockstep.replica p where p.repository_id = r.id and p.state <> 'destroyed')
      and not exists (select from lockstep.command c where c.subject = r.id::text and c.state in ('queued', 'running'))
    order by r.removed_name, r.removed_at limit 1 for no key update skip locked;
  if not found then return null; end if;
  delete from lockstep.ref_log l where l.repository_id = due.id and l.version = any(array(
    select o.version from lockstep.ref_log o where o.repository_id = due.id order by o.version limit p_limit for update skip locked));
  get diagnostics deleted = row_count;
  if deleted > 0 then return deleted; end if;
  delete from lockstep.repository_ref f where f.repository_id = due.id and f.name = any(array(
    select o.name from lockstep.repository_ref o where o.repository_id = due.id order by o.name limit p_limit));
  get diagnostics deleted = row_count;
  if deleted > 0 then return deleted; end if;
  delete from lockstep.write w where w.id = any(array(
    select o.id from lockstep.write o where o.repository_id = due.id limit p_limit for update skip locked));
  get diagnostics deleted = row_count;
  if deleted > 0 then return deleted; end if;
  delete from lockstep.repository r where r.id = due.id;
  insert into lockstep.audit (author, action, repository, detail)
    values ('lockstep', 'purge', due.removed_name, jsonb_build_object(
      'id', due.id, 'version', due.head_version::text, 'removed_at', due.removed_at));
  return 1;
end $$;
