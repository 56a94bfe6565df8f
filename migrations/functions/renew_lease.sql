-- Extends the lease of a device and answers with the timeline of this server; null: another incarnation has the device. The device takes
-- the confirmation of this commit as proof that this server was the primary after it had been asked, so the commit waits for the standby.
--
-- `p_timeline`: whose word counts for the device now. Only when that is this server has it left the old one (old_leases_end). A renewal that
-- came here first does not show it: until its answer is there, the device still believes the old primary.
create function lockstep.renew_lease(p_device text, p_fence bigint, p_timeline text) returns text
language plpgsql as $$
declare
  here text;
begin
  perform lockstep.wait_for_standby();
  -- Before the timeline's row, as everywhere.
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for no key update;
  if not found then return null; end if;
  here := (lockstep.note_timeline()).id;
  update lockstep.device d set expires_at = clock_timestamp() + d.ttl,
    timeline = case when p_timeline = here then here else d.timeline end
    where d.name = p_device;
  return here;
end $$;
