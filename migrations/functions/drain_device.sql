-- Begins to drain a device: it takes no writes and no new replicas, and counts as no copy. 'too_few': too few devices
-- would be left for the repositories in `names`, at most 21.
create function lockstep.drain_device(p_device text, p_author text, out outcome text, out names text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.device%rowtype;
begin
  perform lockstep.act_as(p_device);
  -- Waits for repositories that are being made or placed. They have counted this device.
  perform pg_advisory_xact_lock(hashtext('lockstep.placement'));
  -- for update: waits for writes that are being staged on the device. So from here on the staged ones are all there
  -- are.
  select * into held from lockstep.device d where d.name = p_device for update;
  if not found then outcome := 'missing'; return; end if;
  if held.removed_at is not null then outcome := 'removed'; return; end if;
  outcome := 'drains';
  if held.draining_since is not null then return; end if;
  names := array(select n from lockstep.too_few_without(p_device) n order by n limit 21);
  if cardinality(names) > 0 then outcome := 'too_few'; return; end if;
  update lockstep.device d set draining_since = clock_timestamp() where d.name = p_device;
  insert into lockstep.audit (author, action, device) values (p_author, 'drain device', p_device);
end $$;
