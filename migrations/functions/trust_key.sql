-- An operator trusts a key of a name. p_fingerprint null: the keys that wait, one of each kind; if none waits, the keys
-- that were revoked last. `fingerprints`: the keys that are trusted now by this call; for 'several' those that wait.
-- 'unknown': there is nothing to trust. 'full', 'taken': as add_key says. p_access: also sets what a front end may use.
create function lockstep.trust_key(
  p_role text, p_name text, p_kind text, p_fingerprint text, p_public_key text, p_author text,
  p_access boolean, p_repositories text[], p_read_only boolean, out outcome text, out fingerprints text[])
language plpgsql as $$
declare
  chosen record;
  again timestamptz;
begin
  perform 1 from lockstep.device d where p_role = 'device' and d.name = p_name for no key update;
  perform lockstep.change_registry();
  fingerprints := '{}';
  if p_fingerprint is null then
    fingerprints := array(select w.fingerprint from lockstep.waiting_key w where w.role = p_role and w.name = p_name order by w.since, w.fingerprint);
    if exists (select from lockstep.waiting_key w where w.role = p_role and w.name = p_name group by w.kind having count(*) > 1) then
      outcome := 'several'; return;
    end if;
    if cardinality(fingerprints) = 0 and not exists (
        select from lockstep.credential c where c.role = p_role and c.name = p_name and c.kind = 'x509' and c.state = 'trusted') then
      select max(c.revoked_at) into again from lockstep.credential c where c.role = p_role and c.name = p_name;
    end if;
  end if;
  for chosen in
    -- The fingerprint of a host key looks like that of an ssh key.
    select case when p_public_key is not null then p_kind else coalesce(
        (select w.kind from lockstep.waiting_key w
         where w.role = p_role and w.name = p_name and w.fingerprint = p_fingerprint order by w.kind limit 1),
        (select c.kind from lockstep.credential c
         where c.role = p_role and c.name = p_name and c.fingerprint = p_fingerprint order by c.kind limit 1), p_kind) end as kind,
      p_fingerprint as fingerprint, p_public_key as public_key where p_fingerprint is not null
    union all
    select w.kind, w.fingerprint, w.public_key from lockstep.waiting_key w
      where p_fingerprint is null and w.role = p_role and w.name = p_name
    union all
    select c.kind, c.fingerprint, null from lockstep.credential c
      where c.role = p_role and c.name = p_name and c.state = 'revoked' and c.revoked_at = again
  loop
    outcome := lockstep.add_key(p_role, p_name, chosen.kind, chosen.fingerprint,
      coalesce(chosen.public_key, (select w.public_key from lockstep.waiting_key w
        where w.role = p_role and w.name = p_name and w.kind = chosen.kind and w.fingerprint = chosen.fingerprint)), p_author, false);
    if outcome <> 'trusted' then return; end if;
    fingerprints := array_remove(fingerprints, chosen.fingerprint) || chosen.fingerprint;
  end loop;
  -- A name that has trusted keys already may be given other rights, without another key.
  if outcome is null and not (p_access and exists (select from lockstep.principal p where p.role = p_role and p.name = p_name)) then
    outcome := 'unknown'; return;
  end if;
  outcome := 'trusted';
  if p_access then
    update lockstep.principal p set repositories = p_repositories, read_only = p_read_only where p.role = p_role and p.name = p_name;
  end if;
  insert into lockstep.audit (author, action, device, detail) values (p_author, 'trust key', case when p_role = 'device' then p_name end,
    jsonb_build_object('of', p_role || ' ' || p_name, 'keys', fingerprints)
      || case when p_access then jsonb_build_object('repositories', p_repositories, 'read_only', p_read_only) else '{}' end);
end $$;
