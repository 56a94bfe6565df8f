-- Ends the drain of a device, which then gets the replicas that it lacks (place_replicas). A device that was removed
-- may register again, as a new one: on any root, and nothing is known of its replicas.
create function lockstep.undrain_device(p_device text, p_author text, out outcome text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.device%rowtype;
begin
  perform lockstep.act_as(p_device);
  perform pg_advisory_xact_lock(hashtext('lockstep.placement'));
  select * into held from lockstep.device d where d.name = p_device for update;
  if not found then outcome := 'missing'; return; end if;
  outcome := 'undrained';
  if held.removed_at is null and held.draining_since is null then return; end if;
  update lockstep.device d set draining_since = null, removed_at = null, placed = false where d.name = p_device;
  if held.removed_at is not null then
    update lockstep.device d set writes = true, root_id = null, root_path = null, root_mount = null, root_place = null,
      incarnation = null where d.name = p_device;
    -- Every sidecar then lets its keys in again.
    perform lockstep.change_registry();
  end if;
  insert into lockstep.audit (author, action, device) values (p_author, 'undrain device', p_device);
end $$;
