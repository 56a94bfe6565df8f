-- Returns the timeline of this server, or null on a standby. A standby that is promoted begins a new timeline; the old
-- primary stays on its own.
create function lockstep.current_timeline() returns text
language plpgsql as $$
begin
  return case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end;
end $$;
