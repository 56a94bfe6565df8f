-- Removes a hook, if it is there.
create function lockstep.remove_hook(p_id uuid, p_author text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from lockstep.hook h where h.id = p_id;
  if found then
    insert into lockstep.audit (author, action, detail) values (p_author, 'remove hook', jsonb_build_object('hook', p_id));
  end if;
end $$;
