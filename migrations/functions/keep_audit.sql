-- Refuses to change or to remove a row of the audit, except rows that trim_audit has cut off. Somebody who owns the
-- tables can switch this off; verify_audit finds what he has done then.
create function lockstep.keep_audit() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    if old.id <= (select c.base_id from lockstep.audit_chain c) then return old; end if;
  end if;
  raise exception 'lockstep.audit only grows' using errcode = 'restrict_violation';
end $$;
create trigger keep before update or delete on lockstep.audit for each row execute function lockstep.keep_audit();
create trigger keep_all before truncate on lockstep.audit for each statement execute function lockstep.keep_audit();
