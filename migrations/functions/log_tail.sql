-- Tells how far the log of the whole cluster may be read. A watcher reads by position, and a transaction with a lower
-- position may commit later than one with a higher position.
-- - handed_out: the last position that was handed out. It is read first.
-- - whole: all positions after p_after and up to this one have rows. Within the next thousand.
-- - writers: transactions that held a lock to write the log after that. A transaction gets this lock before its
--   position, and holds it until its end. So each transaction with a position up to handed_out is over, or among them.
--
-- So once `writers` are over, each position up to handed_out has its row or will never have one. A transaction that
-- writes something else, in this or another database, is not waited for.
create function lockstep.log_tail(
  p_after bigint, out handed_out bigint, out whole bigint, out writers text[], out timeline text)
language plpgsql as $$
begin
  timeline := lockstep.current_timeline();
  select case when s.is_called then s.last_value else 0 end into handed_out from lockstep.ref_log_position s;
  select coalesce(max(n.position), p_after) into whole from (
    select l.position, row_number() over (order by l.position) as place from lockstep.ref_log l
    where l.position > p_after order by l.position limit 1000) n
    where n.position = p_after + n.place;
  writers := '{}';
  if whole is null or whole < handed_out then
    select coalesce(array_agg(distinct k.virtualtransaction), '{}') into writers from pg_locks k
      where k.locktype = 'relation' and k.relation = 'lockstep.ref_log'::regclass and k.mode = 'RowExclusiveLock' and k.granted
        and k.database = (select d.oid from pg_database d where d.datname = current_database());
  end if;
end $$;
