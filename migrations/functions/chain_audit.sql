-- Puts a new row of the audit at the end of the chain. The lock of the chain is the last one that a transaction takes,
-- so nobody who holds it waits for another lock.
create function lockstep.chain_audit() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  head lockstep.audit_chain%rowtype;
  newest lockstep.audit%rowtype;
begin
  select * into head from lockstep.audit_chain for update;
  -- Rows that the same statement has added before this one. If rows were removed by force, the chain goes on behind
  -- them, so that the gap stays.
  select * into newest from lockstep.audit a where a.id > head.id order by a.id desc limit 1;
  new.id := coalesce(newest.id, head.id) + 1;
  new.at := clock_timestamp();
  -- Anybody with the login of a device can add any row. So the row names the login.
  if lockstep.is_of_device() then new.detail := new.detail || jsonb_build_object('login', session_user::text); end if;
  new.hash := lockstep.audit_hash(coalesce(newest.hash, head.hash), new);
  return new;
end $$;
create trigger chain before insert on lockstep.audit for each row execute function lockstep.chain_audit();
