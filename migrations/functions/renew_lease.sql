-- Extends the lease of a device and answers with the timeline of this server; null: another incarnation has the device. The device takes
-- the confirmation of this commit as proof that this server was the primary after it had been asked, so the commit waits for the standby.
create function lockstep.renew_lease(p_device text, p_fence bigint) returns text
language plpgsql as $$
declare
  here text := lockstep.current_timeline();
begin
  perform lockstep.wait_for_standby();
  update lockstep.device d set expires_at = clock_timestamp() + d.ttl, timeline = here
    where d.name = p_device and d.fence = p_fence;
  return case when found then here end;
end $$;
