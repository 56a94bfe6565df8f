-- Makes a repository at version 0, whose only ref is HEAD, and a pending replica on each device of the placement.
-- 'no_device': a named device is not there, or no device is. 'too_few': the copies need more devices.
create function lockstep.create_repository(
  p_id uuid, p_name text, p_object_format text, p_digest_key bytea, p_digest bytea, p_head_name bytea, p_head_value bytea,
  p_min_copies integer, p_placement text[], out outcome text, out devices text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- A device that registers meanwhile is seen by the next statement, or its own look at all repositories sees this one
  -- (take_over).
  perform pg_advisory_xact_lock_shared(hashtext('lockstep.placement'));
  devices := lockstep.holding_devices(p_placement);
  if cardinality(devices) < greatest(cardinality(p_placement), 1) then outcome := 'no_device'; return; end if;
  if cardinality(devices) < p_min_copies then outcome := 'too_few'; return; end if;
  insert into lockstep.repository (id, name, object_format, digest_key, head_digest, min_copies, placement)
    values (p_id, p_name, p_object_format, p_digest_key, p_digest, p_min_copies, p_placement);
  insert into lockstep.repository_ref (repository_id, name, value) values (p_id, p_head_name, p_head_value);
  delete from lockstep.former_name f where f.name = p_name;
  insert into lockstep.replica (repository_id, device) select p_id, device from unnest(devices) device;
  outcome := 'made';
end $$;
