-- Stops a repository, because a device holds versions that this database has lost. Nobody reads or writes it until an
-- operator has decided. Returns false, and stops nothing, if this server has all that the device holds. Then the device
-- compared its disk with another server, an old primary for instance.
create function lockstep.stop_repository(
  p_repository uuid, p_device text, p_fence bigint, p_version bigint, p_digest bytea, p_reason text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return false; end if;
  perform 1 from lockstep.repository r where r.id = p_repository for no key update;
  perform 1 from lockstep.standing(array[p_repository], array[p_version], array[p_digest]) s where s.standing in ('ahead', 'diverged');
  if not found then return false; end if;
  -- Records the version on the device's disk: the next version must be higher.
  update lockstep.replica p set state = 'broken', last_error = p_reason, version = greatest(p.version, p_version)
    where p.repository_id = p_repository and p.device = p_device and p.state in ('pending', 'active', 'broken');
  update lockstep.repository r set stopped = p_reason where r.id = p_repository and r.stopped is null;
  if found then
    insert into lockstep.audit (author, action, repository, device, detail)
      select 'device ' || p_device, 'stop', r.name, p_device, json_build_object('reason', p_reason)
      from lockstep.repository r where r.id = p_repository;
  end if;
  return true;
end $$;
