-- Keeps the newest hundred catch-ups of each replica, which are enough for people. In a repository that everyone reads,
-- each device catches up once for each push.
create function lockstep.trim_sync_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from lockstep.sync_event s
    where s.repository_id = new.repository_id and s.device = new.device and s.id < (
      select e.id from lockstep.sync_event e where e.repository_id = new.repository_id and e.device = new.device
      order by e.id desc offset 99 limit 1);
  return null;
end $$;
create trigger trimmed after insert on lockstep.sync_event for each row execute function lockstep.trim_sync_events();
