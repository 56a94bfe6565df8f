-- Ends the logins of a device: from now on they act for no device. Returns them. Called by the owner of the schema.
-- Where this user may, the roles cannot log in any more, and their sessions end.
create function lockstep.end_device_login(p_device text, p_author text) returns text[]
language plpgsql as $$
declare
  ended text[];
  each text;
begin
  with gone as (delete from lockstep.device_login l where l.device = p_device returning l.login)
  select coalesce(array_agg(g.login order by g.login), '{}') into ended from gone g;
  foreach each in array ended loop
    begin
      execute format('alter role %I nologin', each);
      perform pg_terminate_backend(a.pid) from pg_stat_activity a where a.usename = each;
    exception when insufficient_privilege or undefined_object then
      raise warning 'the role % can still log in and read', each;
    end;
  end loop;
  if cardinality(ended) > 0 then
    insert into lockstep.audit (author, action, device, detail)
      values (p_author, 'end login', p_device, jsonb_build_object('logins', ended));
  end if;
  return ended;
end $$;
