-- Returns when everything that earlier statements of this device have read would survive a fail-over to a synchronous
-- standby. 'fenced': another incarnation has the device. 'elsewhere': the reads were answered on another timeline,
-- perhaps by an old primary, and this server knows nothing of them. The commit waits for the standby because of the row
-- lock.
create function lockstep.confirm_reads(p_device text, p_fence bigint, p_timeline text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  if p_timeline is distinct from lockstep.current_timeline() then return 'elsewhere'; end if;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  return case when found then 'confirmed' else 'fenced' end;
end $$;
