-- Returns true if the session has a login that is limited to one device. Only for functions that run as the owner of
-- the schema. The owner's own session is recognised without a look at a table.
create function lockstep.is_of_device() returns boolean
language plpgsql stable as $$
begin
  if session_user = current_user then return false; end if;
  return lockstep.own_device() is not null or not pg_has_role(session_user, current_user, 'member');
end $$;
