-- Gives a device to a new incarnation: a higher fence, and in the same transaction the staged writes of the old
-- incarnation are dropped. The caller holds the operating system's lock on the root, so no process of the old
-- incarnation works there. On the root that the device served last, the caller need not wait for the lease. 'removed':
-- an operator has removed the device.
create function lockstep.take_over(
  p_device text, p_incarnation uuid, p_root_id uuid, p_ttl interval,
  p_grpc_address text, p_git_address text, p_zone text, p_ssh_address text, p_ssh_user text,
  out outcome text, out fence bigint, out previous_fence bigint, out wait_ms integer, out interrupted uuid[], out timeline text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.device%rowtype;
  known lockstep.timeline%rowtype;
  ends timestamptz;
  ended constant text := 'The sidecar ended while it carried the command out.';
begin
  perform lockstep.act_as(p_device);
  -- Others may wait for the end of a lease.
  if lockstep.is_of_device() then p_ttl := least(p_ttl, interval '1 minute'); end if;
  perform 1 from lockstep.device d where d.name = p_device;
  if not found then
    -- A repository that is being made sees the new device, or the device sees the repository when it looks at all of
    -- them (place_replicas).
    perform pg_advisory_xact_lock(hashtext('lockstep.placement'));
    insert into lockstep.device (name, timeline) values (p_device, lockstep.current_timeline()) on conflict do nothing;
  end if;
  -- for update: this waits for bumps of the old incarnation that are under way, which hold key share. So none of them
  -- lands after its write is dropped below.
  select * into held from lockstep.device d where d.name = p_device for update;
  if held.removed_at is not null then outcome := 'removed'; return; end if;
  known := lockstep.note_timeline();
  select d.timeline into held.timeline from lockstep.device d where d.name = p_device;
  previous_fence := held.fence;
  -- A lease that the old primary gave ends by that server's clock, which may differ from this one's (old_leases_end).
  ends := greatest(held.expires_at, case when held.timeline is distinct from known.id then known.since + held.ttl end);
  if ends > clock_timestamp() and held.incarnation is distinct from p_incarnation
     and held.root_id is distinct from p_root_id then
    outcome := 'held';
    wait_ms := ceil(extract(epoch from ends - clock_timestamp()) * 1000);
    return;
  end if;
  fence := nextval('lockstep.fence_seq');
  timeline := known.id;
  update lockstep.device d set incarnation = p_incarnation, fence = take_over.fence, root_id = p_root_id,
    expires_at = clock_timestamp() + p_ttl, started_at = clock_timestamp(),
    ttl = p_ttl, timeline = take_over.timeline, grpc_address = p_grpc_address, git_address = p_git_address, zone = p_zone,
    ssh_address = p_ssh_address, ssh_user = p_ssh_user
  where d.name = p_device;
  with undecided as (
    select w.id from lockstep.write w where w.device = p_device and w.status = 'staged' order by w.id for update),
  dropped as (
    update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
      drop_reason = 'the sidecar of device ' || p_device || ' ended before the write was decided'
    from undecided where w.id = undecided.id
    returning w.repository_id)
  select coalesce(array_agg(distinct d.repository_id), '{}') into interrupted from dropped d;
  with gone as (select t.repository_id, t.ticket from lockstep.turn t where t.device = p_device order by t.ticket for update)
  delete from lockstep.turn t using gone where t.repository_id = gone.repository_id and t.ticket = gone.ticket;
  -- The old incarnation may have been killed at any step of these commands, so the new one starts them again. Each
  -- command reads the state of its replica anew. A command during which sidecars end one after another may be the
  -- reason, so it rests longer each time, at most five minutes.
  with broken_off as (
    select c.id from lockstep.command c where c.device = p_device and c.state = 'running' order by c.id for update)
  update lockstep.command c set state = 'queued', fence = null, last_error = ended,
      due_at = clock_timestamp() + case when c.last_error = ended
        then least(interval '1 second' * 2 ^ least(c.attempts, 9), interval '5 minutes') else '0' end
    from broken_off where c.id = broken_off.id;
  outcome := 'taken';
end $$;
