-- Until when a device may still serve reads on the word of another server; null: none does, and decisions may be made. After a
-- fail-over the old primary may live on, and devices that reach only it vouch for its refs until their lease has run out. So nothing
-- is decided on a new timeline until each device that was alive has said that it goes by this server (renew_lease), or its lease has ended. It
-- is counted from the moment in which this server first saw its timeline, by its own clock: two servers' clocks may differ.
create function lockstep.old_leases_end() returns timestamptz
language plpgsql as $$
declare
  known lockstep.timeline := lockstep.note_timeline();
begin
  if known.since is null then return null; end if;
  return (select max(known.since + d.ttl) from lockstep.device d
    where d.timeline is distinct from known.id and known.since + d.ttl > clock_timestamp());
end $$;
