-- Until when a device may still serve reads on the word of another server; null: none does, and decisions may be made. After a
-- fail-over the old primary may live on, and devices that reach only it vouch for its refs until their lease has run out. So nothing
-- is decided on a new timeline until each device that was alive has renewed its lease here, or could not have one any more. It is
-- counted from the moment in which this server first saw its timeline, by its own clock: two servers' clocks may differ.
create function lockstep.old_leases_end() returns timestamptz
language plpgsql as $$
declare
  here text := lockstep.current_timeline();
  known lockstep.timeline%rowtype;
  ends timestamptz;
begin
  select * into known from lockstep.timeline;
  if known.id <> here then
    update lockstep.timeline t set id = here, since = clock_timestamp() where t.id <> here;
    select * into known from lockstep.timeline;
  end if;
  if known.since is null then return null; end if;
  select max(known.since + d.ttl) into ends from lockstep.device d
    where d.timeline is distinct from here and d.expires_at > known.since - d.ttl and known.since + d.ttl > clock_timestamp();
  return ends;
end $$;
