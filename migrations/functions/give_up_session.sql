-- Drops a session that could not begin, and deletes its ticket. It touches nothing of another caller, kind or device.
create function lockstep.give_up_session(p_write uuid, p_device text, p_caller text, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  update lockstep.write w set status = 'dropped', drop_reason = p_reason, decided_at = clock_timestamp()
    where w.id = p_write and w.session and w.status = 'staged' and w.device = p_device and w.caller = p_caller;
  delete from lockstep.turn t where t.write_id = p_write and t.device = p_device and t.caller = p_caller;
end $$;
