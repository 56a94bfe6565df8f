-- Cuts the oldest rows off the audit: at most p_limit that are older than p_days. Returns how many. The hash of the
-- last of them becomes the beginning of the chain, and a new row of the audit says so. A beginning that somebody else
-- has moved has no such row.
create function lockstep.trim_audit(p_days integer, p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chain lockstep.audit_chain%rowtype;
  last lockstep.audit%rowtype;
begin
  if lockstep.is_of_device() then p_days := greatest(p_days, (lockstep.least_kept('audit')).days); end if;
  select * into chain from lockstep.audit_chain for update;
  select * into last from (
    select * from lockstep.audit a order by a.id limit p_limit) old
    where old.at < clock_timestamp() - p_days * interval '1 day' order by old.id desc limit 1;
  if not found then return 0; end if;
  insert into lockstep.audit (author, action, detail) values ('retention', 'cut audit',
    jsonb_build_object('through', last.id, 'hash', encode(last.hash, 'hex'), 'until', last.at));
  update lockstep.audit_chain set base_id = last.id, base_hash = last.hash;
  delete from lockstep.audit a where a.id <= last.id;
  return last.id - chain.base_id;
end $$;
