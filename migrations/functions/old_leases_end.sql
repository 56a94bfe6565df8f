-- Returns until when a device may still serve reads from another server. null: no device does, and decisions may be
-- made.
--
-- After a fail-over the old primary may live on. Devices that reach only that server serve its refs until their lease
-- has run out. So a new timeline decides nothing while such a device may exist. Each device that was alive must first
-- say that it believes this server (renew_lease), or its lease must end. The end is counted from the moment in which
-- this server first saw its timeline, by its own clock: two servers' clocks may differ. A device that was removed when
-- it had no lease does not count.
create function lockstep.old_leases_end() returns timestamptz
language plpgsql as $$
declare
  known lockstep.timeline := lockstep.note_timeline();
begin
  if known.since is null then return null; end if;
  return (select max(known.since + d.ttl) from lockstep.device d
    where d.timeline is distinct from known.id and known.since + d.ttl > clock_timestamp()
      and (d.removed_at is null or d.expires_at > d.removed_at));
end $$;
