-- Returns the timeline of this server with the identifier of its system, or null on a standby. A standby that is
-- promoted begins a new timeline; the old primary stays on its own. Another system (a restored dump, a logical
-- replica) may be on a timeline of the same number.
--
-- PostgreSQL reads a file for the system identifier, so each connection remembers it. A connection leads to one
-- server.
create function lockstep.current_timeline() returns text
language plpgsql as $$
declare
  system text := current_setting('lockstep.system', true);
begin
  if pg_is_in_recovery() then return null; end if;
  if coalesce(system, '') = '' then system := set_config('lockstep.system', lockstep.system_identifier(), false); end if;
  return left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' || system;
end $$;
