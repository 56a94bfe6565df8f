-- Notes the new end of the chain, once for each statement.
create function lockstep.end_audit() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update lockstep.audit_chain c set id = a.id, hash = a.hash
    from (select newest.id, newest.hash from lockstep.audit newest order by newest.id desc limit 1) a where a.id > c.id;
  return null;
end $$;
create trigger chain_end after insert on lockstep.audit for each statement execute function lockstep.end_audit();
