-- Returns the row of lockstep.timeline. If this server is on another timeline, first records that one. It then moves
-- each device to the new timeline that can hold no lease of the old one any more.
--
-- A lease had ended if another device of that timeline renewed its own a whole ttl later. Both times are by the clock
-- of the old primary. A comparison with the clock of this server would be wrong where the clocks differ.
create function lockstep.note_timeline() returns lockstep.timeline
language plpgsql as $$
declare
  here text := lockstep.current_timeline();
  known lockstep.timeline%rowtype;
begin
  select * into known from lockstep.timeline;
  if not found then insert into lockstep.timeline (id) values (here) on conflict do nothing; end if;
  if known.id = here then return known; end if;
  update lockstep.timeline t set id = here, since = clock_timestamp() where t.id <> here;
  if found then
    -- The old server may have handed out positions of the log that this one does not know, with rows that are lost. A
    -- watcher may have seen those. So this server goes on far beyond them. A logical replica has the rows of the old
    -- server, but not its sequences.
    perform setval('lockstep.ref_log_position',
      greatest(s.last_value, (select max(l.position) from lockstep.ref_log l)) + 4294967296) from lockstep.ref_log_position s;
    -- Rows that are locked belong to devices that are just renewing their lease, or starting.
    with ended as (
      select d.name from lockstep.device d
      where d.timeline is distinct from here and d.expires_at <=
        (select max(o.expires_at - o.ttl) from lockstep.device o where o.timeline is not distinct from d.timeline)
      order by d.name for no key update skip locked)
    update lockstep.device d set timeline = here from ended where d.name = ended.name;
  end if;
  select * into known from lockstep.timeline;
  return known;
end $$;
