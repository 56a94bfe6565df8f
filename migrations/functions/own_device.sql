-- Returns the device whose login to PostgreSQL this session has. null: the session acts for no single device.
create function lockstep.own_device() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select l.device from lockstep.device_login l where l.login = session_user
$$;
