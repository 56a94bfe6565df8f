-- Returns when everything that earlier statements of this device have read would survive a fail-over to a synchronous standby.
-- False: another incarnation has the device. The row lock is what the commit waits for (wait_for_standby).
create function lockstep.confirm_reads(p_device text, p_fence bigint) returns boolean
language plpgsql as $$
begin
  perform lockstep.wait_for_standby();
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  return found;
end $$;
