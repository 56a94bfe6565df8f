-- Raises an error unless this session may act for the device. It has the login of that device, or it is the owner of
-- the schema. session_user is the login with which the session began. Nothing that the session does changes it, also
-- not a function that runs as the owner.
create function lockstep.act_as(p_device text) returns void
language plpgsql stable as $$
begin
  if session_user = current_user then return; end if;
  if not lockstep.is_of_device() or p_device = lockstep.own_device() then return; end if;
  if lockstep.own_device() is null then
    raise exception 'the login % is neither that of a device nor that of the owner of the schema', session_user
      using errcode = 'insufficient_privilege';
  end if;
  raise exception 'the login % acts for the device % only, not for %',
    session_user, lockstep.own_device(), coalesce(p_device, 'the cluster')
    using errcode = 'insufficient_privilege';
end $$;
