-- Makes pending replicas on a new device of the repositories that are on all devices: of the next p_limit ones after
-- p_after. Returns where the next call begins; null: all are made, and the device is marked as placed.
create function lockstep.place_replicas(p_device text, p_fence bigint, p_after uuid, p_limit integer, out last uuid, out made integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  page uuid[];
begin
  perform lockstep.act_as(p_device);
  made := 0;
  -- A device that drains takes no new replicas, and is not placed until it stops draining.
  perform 1 from lockstep.device d
    where d.name = p_device and d.fence = p_fence and d.draining_since is null and d.removed_at is null for key share;
  if not found then return; end if;
  page := array(select r.id from lockstep.repository r where r.id > p_after order by r.id limit p_limit);
  if cardinality(page) > 0 then
    made := lockstep.want_replicas(array(select r.id from lockstep.repository r where r.id = any(page) and r.placement is null and r.removed_at is null), array[p_device]);
  end if;
  if cardinality(page) = p_limit then last := page[p_limit]; return; end if;
  update lockstep.device d set placed = true where d.name = p_device;
end $$;
