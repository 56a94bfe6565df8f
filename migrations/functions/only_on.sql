-- Returns the names of repositories of which only this device may have the newest version. The device has something of
-- them, and no device that stays has the head.
create function lockstep.only_on(p_device text) returns setof text
language sql stable as $$
  select r.name from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
  where p.device = p_device and p.state in ('pending', 'active', 'broken') and (p.version > 0 or p.fence > 0)
    and r.removed_at is null
    and not exists (
      select from lockstep.replica o join lockstep.device d on d.name = o.device
      where o.repository_id = r.id and o.device <> p_device and o.state = 'active' and o.version >= r.head_version
        and d.removed_at is null and d.draining_since is null)
$$;
