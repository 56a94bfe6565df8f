-- The commit of this transaction waits for PostgreSQL's disk and for its synchronous standby, whatever the configuration says of
-- other commits. That alone is not enough: a transaction that writes nothing waits for nobody, also not for rows that it has read
-- and that no standby has yet (the wait of the commit that wrote them was ended, or the server restarted). So a caller of this
-- function also changes a row or locks one, which is written to the WAL and so makes the commit wait.
create function lockstep.wait_for_standby() returns void
language plpgsql as $$
begin
  if current_setting('synchronous_commit') in ('off', 'local') then perform set_config('synchronous_commit', 'on', true); end if;
end $$;
