-- Extends the lease of a device and returns the timeline of this server. null: another incarnation has the device. The
-- commit waits for the standby. So its confirmation proves to the device that this server was the primary after the
-- device had asked.
--
-- p_timeline: the server that the device believes now. The device has left the old server only when that is this one
-- (old_leases_end). A first renewal that came here does not show it: until the answer arrives, the device still
-- believes the old primary.
--
-- p_disk_free, p_disk_size: the file system of its root, in bytes. null: the device does not know it now, so what it
-- told last stays.
create function lockstep.renew_lease(
  p_device text, p_fence bigint, p_timeline text, p_disk_free bigint default null, p_disk_size bigint default null)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here text;
begin
  perform lockstep.act_as(p_device);
  -- The row of the device is locked before that of the timeline, as everywhere.
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for no key update;
  if not found then return null; end if;
  here := (lockstep.note_timeline()).id;
  update lockstep.device d set expires_at = clock_timestamp() + d.ttl,
    timeline = case when p_timeline = here then here else d.timeline end,
    disk_free = coalesce(p_disk_free, d.disk_free), disk_size = coalesce(p_disk_size, d.disk_size)
    where d.name = p_device;
  return here;
end $$;
