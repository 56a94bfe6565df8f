-- Limits what the login of a device changes by plain statements to rows of its own device. It may read all rows. The
-- owner of the schema is not limited: row security does not apply to the owner of a table. grant_to_devices.sql says
-- which tables and columns a device's login may use at all.
--
-- A statement that only locks rows needs the right to update them. `with check (false)` lets it lock and change
-- nothing.
do $$
declare
  old record;
begin
  for old in select p.tablename, p.policyname from pg_policies p where p.schemaname = 'lockstep' loop
    execute format('drop policy %I on lockstep.%I', old.policyname, old.tablename);
  end loop;
end $$;

alter table lockstep.device enable row level security;
create policy reads on lockstep.device for select using (true);
create policy changes on lockstep.device for update using (name = (select lockstep.own_device()))
  -- Others may wait for the end of a lease.
  with check (name = (select lockstep.own_device()) and expires_at <= clock_timestamp() + interval '1 minute');

alter table lockstep.replica enable row level security;
create policy reads on lockstep.replica for select using (true);
create policy changes on lockstep.replica for update using (device = (select lockstep.own_device()));

alter table lockstep.adoption enable row level security;
create policy reads on lockstep.adoption for select using (true);
create policy adds on lockstep.adoption for insert with check (device = (select lockstep.own_device()));
create policy changes on lockstep.adoption for update using (device = (select lockstep.own_device()));

alter table lockstep.unknown_directory enable row level security;
create policy reads on lockstep.unknown_directory for select using (true);
create policy owns on lockstep.unknown_directory for all using (device = (select lockstep.own_device()));

alter table lockstep.kept_on_disk enable row level security;
create policy reads on lockstep.kept_on_disk for select using (true);
create policy adds on lockstep.kept_on_disk for insert with check (device = (select lockstep.own_device()));
create policy changes on lockstep.kept_on_disk for update using (device = (select lockstep.own_device()));

alter table lockstep.write enable row level security;
create policy reads on lockstep.write for select using (true);
create policy locks on lockstep.write for update using (true) with check (false);

alter table lockstep.repository enable row level security;
create policy reads on lockstep.repository for select using (true);
create policy locks on lockstep.repository for update using (true) with check (false);

alter table lockstep.turn enable row level security;
create policy reads on lockstep.turn for select using (true);
create policy changes on lockstep.turn for update using (device = (select lockstep.own_device()))
  with check (device = (select lockstep.own_device()) and expires_at <= clock_timestamp() + interval '1 minute');
create policy ends on lockstep.turn for delete using (device = (select lockstep.own_device()));

alter table lockstep.sync_event enable row level security;
create policy reads on lockstep.sync_event for select using (true);
create policy adds on lockstep.sync_event for insert with check (device = (select lockstep.own_device()));
create policy locks on lockstep.sync_event for update
  using (at < now() - (select (lockstep.least_kept('syncs')).days) * interval '1 day') with check (false);
create policy ends on lockstep.sync_event for delete
  using (at < now() - (select (lockstep.least_kept('syncs')).days) * interval '1 day');

alter table lockstep.push_event enable row level security;
create policy reads on lockstep.push_event for select using (true);
create policy adds on lockstep.push_event for insert with check (device = (select lockstep.own_device()));
create policy locks on lockstep.push_event for update
  using (at < now() - (select (lockstep.least_kept('pushes')).days) * interval '1 day') with check (false);
create policy ends on lockstep.push_event for delete
  using (at < now() - (select (lockstep.least_kept('pushes')).days) * interval '1 day');

alter table lockstep.pull_event enable row level security;
create policy reads on lockstep.pull_event for select using (true);
create policy adds on lockstep.pull_event for insert with check (device = (select lockstep.own_device()));
create policy locks on lockstep.pull_event for update
  using (at < now() - (select (lockstep.least_kept('pulls')).days) * interval '1 day') with check (false);
create policy ends on lockstep.pull_event for delete
  using (at < now() - (select (lockstep.least_kept('pulls')).days) * interval '1 day');

alter table lockstep.command enable row level security;
create policy reads on lockstep.command for select using (true);
create policy locks on lockstep.command for update
  using (ended_at < now() - (select (lockstep.least_kept('commands')).days) * interval '1 day') with check (false);
create policy ends on lockstep.command for delete
  using (ended_at < now() - (select (lockstep.least_kept('commands')).days) * interval '1 day');

alter table lockstep.former_name enable row level security;
create policy reads on lockstep.former_name for select using (true);
create policy locks on lockstep.former_name for update using (until <= now()) with check (false);
create policy ends on lockstep.former_name for delete using (until <= now());

alter table lockstep.hook enable row level security;
create policy reads on lockstep.hook for select using (true);
create policy changes on lockstep.hook for update using (device = (select lockstep.own_device()));
