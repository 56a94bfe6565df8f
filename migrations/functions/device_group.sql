-- Returns the name of the role that all logins of devices of this database are members of. A role belongs to the whole
-- server, so the name has that of the database.
create function lockstep.device_group() returns text
language sql stable as $$
  select case when length(d.name) < 45 then 'lockstep_device_of_' || d.name else 'lockstep_device_of_' || md5(d.name) end
  from (select current_database()::text as name) d
$$;
