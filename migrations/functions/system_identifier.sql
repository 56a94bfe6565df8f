-- Returns the number that initdb gave to this server and all its physical standbys. Every role may ask PostgreSQL
-- for it, unless an operator has revoked that. Where the owner of the schema may not, the answer is 'unknown', and
-- timelines alone tell servers apart. security definer: two roles must not call one server by two names.
create function lockstep.system_identifier() returns text
language plpgsql security definer set search_path = pg_catalog as $$
begin
  return (select s.system_identifier::text from pg_control_system() s);
exception when insufficient_privilege or feature_not_supported or undefined_function then
  return 'unknown';
end $$;
