-- Changes settings of a repository: those that are not null, and the placement if p_place. 'no_device': a named device
-- is not there. 'too_few': the copies need more devices than `devices`. Nothing is removed here. A device that shall
-- not hold the repository any more is asked to release its copy (release_replica) and to keep its files for some days.
create function lockstep.set_repository(
  p_name text, p_min_copies integer, p_land_with_fewer boolean, p_serial boolean, p_place boolean, p_placement text[],
  p_keep_days integer, p_author text,
  out outcome text, out devices text[], out copies integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
  perform lockstep.act_in(found_id);
  if lockstep.is_of_device() then p_keep_days := greatest(p_keep_days, 14); end if;
  if p_place and cardinality(devices) < greatest(cardinality(p_placement), 1) then outcome := 'no_device'; return; end if;
  if (p_place or p_min_copies is not null) and copies > cardinality(devices) then outcome := 'too_few'; return; end if;
  update lockstep.repository r set min_copies = copies, land_with_fewer = coalesce(p_land_with_fewer, r.land_with_fewer),
    serial = coalesce(p_serial, r.serial),
    placement = case when p_place then p_placement else r.placement end
    where r.id = found_id;
  if p_place then
    perform lockstep.want_replicas(array[found_id], devices);
    perform 1 from lockstep.command c
      where c.subject = found_id::text and c.device = any(devices) and c.command = 'release' and c.state = 'queued'
      order by c.id for update;
    update lockstep.command c set state = 'superseded', ended_at = clock_timestamp(),
        last_error = 'The placement names the device again.'
      where c.subject = found_id::text and c.device = any(devices) and c.command = 'release' and c.state = 'queued';
    perform lockstep.enqueue_command(gen_random_uuid(), found_id, p_name, p.device, 'release',
        jsonb_build_object('keep_days', p_keep_days), p_author, 'its placement does not name the device', null, '0 s')
      from lockstep.replica p
      where p.repository_id = found_id and p.state in ('pending', 'active', 'broken') and p.device <> all(p_placement)
      order by p.device;
  end if;
  outcome := 'set';
end $$;
