-- Makes a key of a name a trusted one. The caller has locked the registry. 'full': the name has two trusted keys of
-- that kind already. p_replace: then the older of the two is revoked. 'taken': another name has that ssh key.
create function lockstep.add_key(
  p_role text, p_name text, p_kind text, p_fingerprint text, p_public_key text, p_by text, p_replace boolean)
returns text
language plpgsql as $$
declare
  others text[];
begin
  others := array(select c.fingerprint from lockstep.credential c
    where c.role = p_role and c.name = p_name and c.kind = p_kind and c.state = 'trusted' and c.fingerprint <> p_fingerprint
    order by c.enrolled_at, c.fingerprint for update);
  if cardinality(others) > 1 and not p_replace then return 'full'; end if;
  if p_kind = 'ssh' and exists (select from lockstep.credential c where c.kind = 'ssh' and c.fingerprint = p_fingerprint
      and c.state = 'trusted' and (c.role, c.name) <> (p_role, p_name)) then return 'taken'; end if;
  if cardinality(others) > 1 then
    update lockstep.credential c set state = 'revoked', revoked_at = clock_timestamp(), revoked_by = p_by, reason = 'replaced by a newer key'
      where c.role = p_role and c.name = p_name and c.kind = p_kind and c.fingerprint = others[1];
  end if;
  insert into lockstep.principal (role, name) values (p_role, p_name) on conflict do nothing;
  insert into lockstep.credential as c (role, name, kind, fingerprint, public_key, enrolled_by)
    values (p_role, p_name, p_kind, p_fingerprint, p_public_key, p_by)
    on conflict (role, name, kind, fingerprint) do update set state = 'trusted',
      public_key = coalesce(excluded.public_key, c.public_key), enrolled_by = excluded.enrolled_by,
      enrolled_at = clock_timestamp(), revoked_at = null, revoked_by = null, reason = null
      where c.state = 'revoked';
  delete from lockstep.waiting_key w where w.role = p_role and w.name = p_name and w.kind = p_kind and w.fingerprint = p_fingerprint;
  if p_role = 'device' and p_kind = 'x509' then
    update lockstep.device d set revoked_at = null where d.name = p_name and d.revoked_at is not null;
  end if;
  return 'trusted';
end $$;
