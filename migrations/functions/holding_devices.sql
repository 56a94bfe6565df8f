-- Returns the devices that shall hold a repository of that placement (null: all), in the order of their names. Devices
-- that drain or were removed do not count. The rows are locked, so none of these devices is removed or drained before
-- the caller's transaction ends.
create function lockstep.holding_devices(p_placement text[]) returns text[]
language sql as $$
  select coalesce(array_agg(d.name order by d.name), '{}') from (
    select d.name from lockstep.device d
    where d.removed_at is null and d.draining_since is null and (p_placement is null or d.name = any(p_placement))
    order by d.name for key share) d
$$;
