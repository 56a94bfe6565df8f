-- Changes settings of a repository: those that are not null, and the placement if p_place. 'no_device': a named device
-- is not there. 'too_few': the copies need more devices than `devices`. Nothing is removed here: a device that shall
-- not hold the repository any more releases its copy itself (release_replica).
create function lockstep.set_repository(
  p_name text, p_min_copies integer, p_land_with_fewer boolean, p_place boolean, p_placement text[],
  out outcome text, out devices text[], out copies integer)
language plpgsql as $$
declare
  found_id uuid;
  wanted text[] := p_placement;
begin
  perform pg_advisory_xact_lock_shared(hashtext('lockstep.placement'));
  if not p_place then select r.placement into wanted from lockstep.repository r where r.name = p_name; end if;
  devices := lockstep.holding_devices(wanted);
  select r.id, coalesce(p_min_copies, r.min_copies) into found_id, copies
    from lockstep.repository r where r.name = p_name for no key update;
  if not found then outcome := 'missing'; return; end if;
  if p_place and cardinality(devices) < greatest(cardinality(p_placement), 1) then outcome := 'no_device'; return; end if;
  if (p_place or p_min_copies is not null) and copies > cardinality(devices) then outcome := 'too_few'; return; end if;
  update lockstep.repository r set min_copies = copies, land_with_fewer = coalesce(p_land_with_fewer, r.land_with_fewer),
    placement = case when p_place then p_placement else r.placement end
    where r.id = found_id;
  if p_place then perform lockstep.want_replicas(array[found_id], devices); end if;
  outcome := 'set';
end $$;
