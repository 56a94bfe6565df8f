-- The timeline of this server: a standby that is promoted begins a new one, the old primary stays on its own. null: it is a standby.
create function lockstep.current_timeline() returns text
language plpgsql as $$
begin
  return case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end;
end $$;
