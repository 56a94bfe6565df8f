-- Gives up the copy of a device that shall not hold the repository any more. Nothing is released before each device
-- that shall hold it has the head. `lacking`: devices that do not have it yet. The files are kept for p_keep; then a
-- command `destroy` frees the disk. 'released' is answered again if the replica is released already.
--
-- No device shall hold a repository that was removed. Its files are kept until it cannot be restored any more.
--
-- The row of the repository is locked as in bump. So a write of this device lands before the copy is given up, and then
-- the others lack it, or not at all.
create function lockstep.release_replica(
  p_repository uuid, p_device text, p_fence bigint, p_keep interval,
  out outcome text, out lacking text[], out changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.repository%rowtype;
  now_state text;
  holders text[];
begin
  perform lockstep.act_as(p_device);
  changed := false;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  select * into held from lockstep.repository r where r.id = p_repository for no key update;
  if not found then outcome := 'missing'; return; end if;
  select p.state into now_state from lockstep.replica p
    where p.repository_id = p_repository and p.device = p_device for update;
  if not found then outcome := 'missing'; return; end if;
  if now_state in ('released', 'destroyed') then outcome := 'released'; return; end if;
  if held.removed_at is null then
    if held.placement is null or p_device = any(held.placement) then outcome := 'wanted'; return; end if;
    if held.stopped is not null then outcome := 'stopped'; return; end if;
    holders := array(
      select d.name from lockstep.device d
      where d.name = any(held.placement) and d.removed_at is null and d.draining_since is null);
    lacking := array(
      select h from unnest(holders) h
      where not exists (
        select from lockstep.replica o
        where o.repository_id = p_repository and o.device = h and o.state = 'active' and o.version >= held.head_version)
      order by h);
    if cardinality(lacking) > 0 or cardinality(holders) = 0 then outcome := 'needed'; return; end if;
    perform 1 from lockstep.write w where w.repository_id = p_repository and w.device = p_device and w.status = 'staged';
    if found then outcome := 'writing'; return; end if;
  end if;
  -- A device that never took its files back still has them aside. Its files lie at its places until it has moved them,
  -- whatever name the repository gets meanwhile.
  update lockstep.replica p set state = 'released',
    places = case when held.removed_at is null then array_remove(p.places, held.name) || held.name else p.places end,
    version = greatest(p.version, p.kept), kept = 0,
    released_at = clock_timestamp(), updated_at = clock_timestamp(), last_error = null, attempts = 0, next_attempt_at = null
    where p.repository_id = p_repository and p.device = p_device;
  -- The command names the time of its release. So it frees only the files of that release.
  insert into lockstep.command (id, repository_id, repository, device, command, arguments, author, reason, due_at)
    select gen_random_uuid(), held.id, coalesce(held.removed_name, held.name), p_device, 'destroy',
      jsonb_build_object('released', extract(epoch from p.released_at)::text), 'lockstep', 'its files were kept long enough',
      coalesce(held.keep_until, p.released_at + p_keep)
    from lockstep.replica p where p.repository_id = p_repository and p.device = p_device;
  outcome := 'released';
  changed := true;
end $$;
