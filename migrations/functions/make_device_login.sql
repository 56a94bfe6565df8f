-- Makes a login to PostgreSQL that acts for one device only, or gives it another password. Called by the owner of the
-- schema. p_verifier: the SCRAM verifier of the password; null: somebody else has made the role. The device need not be
-- there. 'needs_role': this user may not make roles, or has no password for one. 'taken': the role is there for
-- something else.
create function lockstep.make_device_login(p_device text, p_login text, p_verifier text, p_author text, out outcome text)
language plpgsql as $$
declare
  devices text := lockstep.device_group();
  may_make boolean := (select r.rolsuper or r.rolcreaterole from pg_roles r where r.rolname = current_user);
begin
  -- Two calls at once would make the same role.
  perform pg_advisory_xact_lock(hashtext('lockstep.device_login'));
  if exists (select from lockstep.device_login l where l.login = p_login and l.device <> p_device) then outcome := 'taken'; return; end if;
  outcome := 'needs_role';
  if not exists (select from pg_roles r where r.rolname = devices) then
    if not may_make then return; end if;
    execute format('create role %I nologin', devices);
  end if;
  if not exists (select from pg_roles r where r.rolname = p_login) then
    if not may_make or p_verifier is null then return; end if;
    execute format('create role %I login password %L in role %I', p_login, p_verifier, devices);
  else
    -- Also for a superuser, who is a member of every role.
    if pg_has_role(p_login, current_user, 'member') or not pg_has_role(p_login, devices, 'member') then outcome := 'taken'; return; end if;
    if p_verifier is not null then execute format('alter role %I login password %L', p_login, p_verifier); end if;
  end if;
  perform lockstep.grant_to_devices();
  insert into lockstep.device_login (login, device, author) values (p_login, p_device, p_author) on conflict do nothing;
  insert into lockstep.audit (author, action, device, detail)
    values (p_author, 'make login', p_device, jsonb_build_object('login', p_login));
  outcome := 'made';
end $$;
