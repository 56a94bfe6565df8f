-- Makes the commit of this transaction wait for PostgreSQL's disk and its synchronous standby, even if the
-- configuration says otherwise for other commits. That alone is not enough: a transaction that writes nothing does not
-- wait. It may have read rows that no standby has yet, because the wait of their commit was ended or the server
-- restarted. So a caller of this function also changes or locks a row. That is written to the WAL, so the commit waits.
create function lockstep.wait_for_standby() returns void
language plpgsql as $$
begin
  if current_setting('synchronous_commit') in ('off', 'local') then perform set_config('synchronous_commit', 'on', true); end if;
end $$;
