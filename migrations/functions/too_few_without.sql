-- Returns the names of repositories for which too few devices would be left without this one: none, or fewer than their
-- number of copies.
create function lockstep.too_few_without(p_device text) returns setof text
language sql stable as $$
  select r.name from lockstep.repository r
  where r.removed_at is null and (r.placement is null or p_device = any(r.placement))
    and r.min_copies > (
      select count(*) from lockstep.device d
      where d.removed_at is null and d.draining_since is null and d.name <> p_device
        and (r.placement is null or d.name = any(r.placement)))
$$;
