-- Sets for how long one update of a replica may run; null: the default of the sidecars. Returns whether the repository
-- is there.
create function lockstep.set_update_limit(p_name text, p_limit interval) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_id uuid;
begin
  update lockstep.repository r set update_limit = p_limit where r.name = p_name returning r.id into found_id;
  if not found then return false; end if;
  perform lockstep.act_in(found_id);
  return true;
end $$;
