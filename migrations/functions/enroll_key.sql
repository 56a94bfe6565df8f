-- A device shows a key of its own (p_self), or a caller has shown one to the sidecar of p_by. p_candidate: the device
-- uses another key and would change to this one. Returns how the key stands: 'trusted', 'revoked', or 'waiting'. Each
-- of these enrols a key:
-- - The name is new, and p_open: the sidecar runs with --trust-ca.
-- - The name is new, p_self, and some live device runs with --trust-ca.
-- - It is the first device of the cluster.
-- - The name is new, p_self, and the session has the login of that device: an operator has made it for this name.
-- - p_token: an operator has made this token for the name.
-- - p_root: the device of that root has another trusted key already. So it has changed its key.
-- An ssh key, or the host key of an sshd, needs a name that has a trusted X.509 key. The device itself brings it, as
-- the first of its kind or with its root (p_root).
-- A name without a trusted key stays out until an operator trusts one or makes a token.
create function lockstep.enroll_key(
  p_role text, p_name text, p_kind text, p_fingerprint text, p_public_key text, p_by text, p_open boolean,
  p_self boolean, p_candidate boolean, p_root uuid, p_token bytea, p_source text,
  out outcome text, out how text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  is_known boolean;
  is_trusted boolean;
begin
  if lockstep.is_of_device() then
    perform lockstep.act_as(p_by);
    -- Nobody lets another name in with the login of a device.
    p_open := false;
    p_self := p_self and p_role = 'device' and p_name = p_by;
  end if;
  perform 1 from lockstep.device d where p_role = 'device' and d.name = p_name for no key update;
  if p_self and p_kind = 'x509' then
    update lockstep.device d set trusts_ca = p_open where d.name = p_name and d.trusts_ca <> p_open;
  end if;
  -- The usual case changes nothing in the registry.
  select c.state into outcome from lockstep.credential c
    where c.role = p_role and c.name = p_name and c.kind = p_kind and c.fingerprint = p_fingerprint;
  if outcome = 'trusted' then
    if p_self and p_kind = 'x509' then update lockstep.device d set revoked_at = null where d.name = p_name and d.revoked_at is not null; end if;
    return;
  end if;
  -- A key that only waits wakes nobody.
  perform 1 from lockstep.registry for update;
  select c.state into outcome from lockstep.credential c
    where c.role = p_role and c.name = p_name and c.kind = p_kind and c.fingerprint = p_fingerprint;
  if outcome = 'trusted' then return; end if;
  delete from lockstep.enroll_token t where t.token_hash = p_token and t.role = p_role and t.name = p_name and t.ends_at > clock_timestamp();
  if found then how := 'a token';
  elsif outcome is null then
    is_known := exists (select from lockstep.principal p where p.role = p_role and p.name = p_name);
    is_trusted := exists (select from lockstep.credential c where c.role = p_role and c.name = p_name and c.kind = 'x509' and c.state = 'trusted');
    how := case
      when p_kind <> 'x509' and not (is_trusted and p_self) then null
      when p_kind <> 'x509' and not exists (
        select from lockstep.credential c where c.role = p_role and c.name = p_name and c.kind = p_kind) then 'the device itself'
      when not is_known and p_self and lockstep.is_of_device() then 'its login'
      when not is_known and p_open then '--trust-ca'
      when not is_known and p_self and exists (select from lockstep.device d where d.trusts_ca and d.expires_at > clock_timestamp()) then '--trust-ca'
      when not is_known and p_self and not exists (select from lockstep.principal p where p.role = 'device') then 'the first device'
      when is_trusted and p_self and exists (select from lockstep.device d where d.name = p_name and d.root_id = p_root and d.removed_at is null)
        then 'the device itself' end;
  end if;
  if how is not null then
    perform lockstep.change_registry();
    if lockstep.add_key(p_role, p_name, p_kind, p_fingerprint, p_public_key, how, true) = 'trusted' then outcome := 'trusted'; end if;
  elsif outcome is null then
    perform lockstep.note_waiting(p_role, p_name, p_kind, p_fingerprint, p_public_key, p_by, p_source);
  end if;
  if outcome is distinct from 'trusted' then
    outcome := coalesce(outcome, 'waiting');
    how := null;
    -- The other devices refuse it, so they could not fetch what lands on it.
    if p_self and p_kind = 'x509' and not p_candidate then
      update lockstep.device d set revoked_at = clock_timestamp() where d.name = p_name and d.revoked_at is null;
    end if;
    return;
  end if;
  insert into lockstep.audit (author, action, device, detail) values ('device ' || p_by, 'enroll key', case when p_role = 'device' then p_name end,
    jsonb_build_object('of', p_role || ' ' || p_name, 'keys', array[p_fingerprint], 'by', how));
end $$;
