-- An operator revokes the keys of a name, or one of them. `fingerprints`: the keys that this call has revoked. A device
-- without a trusted key takes no writes, and its writes and turns that are under way are dropped. Of a front end or an
-- operator without one, the write sessions are dropped. 'missing': the name has no such key.
create function lockstep.revoke_key(
  p_role text, p_name text, p_fingerprint text, p_author text, p_reason text,
  out outcome text, out fingerprints text[], out trusted integer)
language plpgsql as $$
declare
  -- trust_key finds the keys that were revoked together by this time.
  moment timestamptz;
begin
  -- for update: waits for bumps that are under way on the device. No other device could fetch what lands later.
  perform 1 from lockstep.device d where p_role = 'device' and d.name = p_name for update;
  perform lockstep.change_registry();
  if not exists (select from lockstep.credential c where c.role = p_role and c.name = p_name
      and (p_fingerprint is null or c.fingerprint = p_fingerprint)) then
    outcome := 'missing'; fingerprints := '{}'; trusted := 0; return;
  end if;
  moment := clock_timestamp();
  with gone as (
    update lockstep.credential c set state = 'revoked', revoked_at = moment, revoked_by = p_author, reason = p_reason
      where c.role = p_role and c.name = p_name and c.state = 'trusted' and (p_fingerprint is null or c.fingerprint = p_fingerprint)
      returning c.fingerprint)
  select coalesce(array_agg(g.fingerprint order by g.fingerprint), '{}') into fingerprints from gone g;
  delete from lockstep.waiting_key w where w.role = p_role and w.name = p_name and (p_fingerprint is null or w.fingerprint = p_fingerprint);
  outcome := 'revoked';
  trusted := (select count(*) from lockstep.credential c
    where c.role = p_role and c.name = p_name and c.kind = 'x509' and c.state = 'trusted');
  if p_fingerprint is null then delete from lockstep.enroll_token t where t.role = p_role and t.name = p_name; end if;
  if trusted = 0 and p_role = 'device' then
    update lockstep.device d set revoked_at = clock_timestamp() where d.name = p_name and d.revoked_at is null;
  end if;
  if trusted = 0 then
    with undecided as (
      select w.id from lockstep.write w
      where w.status = 'staged' and (case when p_role = 'device' then w.device = p_name else w.session and w.caller = p_role || ' ' || p_name end)
      order by w.id for update)
    update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
      drop_reason = 'the keys of ' || p_role || ' ' || p_name || ' were revoked'
      from undecided where w.id = undecided.id;
    with gone as (
      select t.repository_id, t.ticket from lockstep.turn t
      where case when p_role = 'device' then t.device = p_name else t.caller = p_role || ' ' || p_name end
      order by t.repository_id, t.ticket for update)
    delete from lockstep.turn t using gone where t.repository_id = gone.repository_id and t.ticket = gone.ticket;
  end if;
  insert into lockstep.audit (author, action, device, detail) values (p_author, 'revoke key', case when p_role = 'device' then p_name end,
    jsonb_build_object('of', p_role || ' ' || p_name, 'keys', fingerprints, 'reason', p_reason));
end $$;
