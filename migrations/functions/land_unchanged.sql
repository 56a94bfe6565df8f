-- Lands a session that changed no ref, at the version with which it began. Every later call of settle_write returns
-- that outcome.
create function lockstep.land_unchanged(p_write uuid, p_device text, p_fence bigint, out status text, out version bigint, out drop_reason text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if found then
    -- The write before the turn, as everywhere, also when the session has lost its turn and its write is not updated.
    perform 1 from lockstep.write w where w.id = p_write for no key update;
    update lockstep.write w set status = 'landed', version = w.base_version, decided_at = clock_timestamp()
      where w.id = p_write and w.device = p_device and w.status = 'staged' and w.session and lockstep.turn_holder(w.repository_id) = p_write;
    delete from lockstep.turn t where t.write_id = p_write and t.device = p_device;
  end if;
  select w.status, w.version, w.drop_reason into status, version, drop_reason from lockstep.write w where w.id = p_write for key share;
end $$;
