-- Deletes writes that were decided p_days ago, at most p_limit, and returns how many.
--
-- A landed write stays until its device surely knows the outcome. Otherwise a device that asks late would find no row,
-- make one as dropped, and tell the pusher a lie. The device knows it once it has recorded that version or a later one,
-- or once another incarnation has the device. A device that has freed its copy asks no more. The age alone proves
-- nothing: the clock of this server may have jumped. Writes that stay are few, so the oldest are looked at first each
-- time.
create function lockstep.trim_writes(p_days integer, p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  deleted integer;
begin
  if lockstep.is_of_device() then p_days := greatest(p_days, (lockstep.least_kept('writes')).days); end if;
  -- now() and not clock_timestamp(): an index is searched only for a value that does not change meanwhile.
  with old as materialized (
    select w.id, w.repository_id, w.device, w.fence, w.status, w.version from lockstep.write w
    where w.status <> 'staged' and w.decided_at < now() - p_days * interval '1 day'
    order by w.decided_at limit p_limit * 10 for update of w skip locked),
  due as materialized (
    select o.id from old o
      left join lockstep.device d on d.name = o.device
      left join lockstep.replica p on p.repository_id = o.repository_id and p.device = o.device
    where o.status = 'dropped' or d.name is null or d.fence > o.fence or p.device is null or p.state = 'destroyed'
      or p.version >= o.version
    limit p_limit)
  delete from lockstep.write w where w.id = any(array(select id from due));
  get diagnostics deleted = row_count;
  return deleted;
end $$;
