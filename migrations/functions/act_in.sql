-- Raises an error unless this session may change the settings of a repository. Its device holds the repository, or it
-- is the owner of the schema.
create function lockstep.act_in(p_repository uuid) returns void
language plpgsql stable as $$
begin
  if not lockstep.is_of_device() or exists (select from lockstep.replica p
    where p.repository_id = p_repository and p.device = lockstep.own_device() and p.state <> 'destroyed') then return; end if;
  raise exception 'the login % acts only in repositories that the device % holds',
    session_user, coalesce(lockstep.own_device(), 'of no name') using errcode = 'insufficient_privilege';
end $$;
