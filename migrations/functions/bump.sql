-- Decides a write: one autocommit statement. The order of the checks is the order in which their answers are final.
-- The write gets the next version if all its refs have their old values at the head. So must those that led to them
-- (p_seen). The head may be later than the version that its device holds (p_base). p_difference: what the write adds to
-- the digest. 'stale': the refs are others now, or may be, so the device must look again. 'in_doubt': the head is the
-- base, so the disk of the device holds other refs than it claims. p_act: the act of an operator that the write carries
-- out, with `action`, `reason` and `detail` for the audit.
--
-- p_at_once_by: the author of a write that nobody has staged. This call makes its row, as landed. Before that it makes
-- the checks of stage_write. 'not_at_once': stage_write tells why. After every answer but 'landed' the device calls
-- settle_write, which makes the row, as dropped. So a call that comes later finds it.
create function lockstep.bump(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_base_digest bytea, p_difference bytea,
  p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_seen bytea[], p_seen_values bytea[],
  p_holders text[], p_act jsonb default null, p_at_once_by text default null,
  out outcome text, out version bigint, out detail text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  known lockstep.repository%rowtype;
  attempt lockstep.write%rowtype;
  holder uuid;
  takes_writes boolean;
  at_once boolean;
begin
  perform lockstep.act_as(p_device);
  -- If the write has landed already, every later call gets the same answer. The row lock makes this answer wait for the
  -- standby too.
  select l.version into version from lockstep.ref_log l where l.write_id = p_write for key share;
  if found then outcome := 'landed'; return; end if;
  -- for key share: a take-over waits until this statement is done; a renewal of the lease does not.
  select d.writes and d.draining_since is null and d.revoked_at is null into takes_writes
    from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  if lockstep.old_leases_end() is not null then outcome := 'old_leases'; return; end if;
  -- for no key update: rows that only refer to the repository, such as a write that is being staged, do not wait for
  -- this.
  select * into known from lockstep.repository r
    where r.id = p_repository and r.removed_at is null for no key update;
  if not found then outcome := 'missing'; return; end if;
  select * into attempt from lockstep.write w where w.id = p_write for update;
  at_once := not found and p_at_once_by is not null;
  if at_once then
    -- The lock of stop_new_writes: such a stop waits for this decision, which nobody sees before. Never waited for, so
    -- that no write waits for a stop that waits for another write.
    if not takes_writes or known.min_copies > 1 + cardinality(p_holders)
        or not pg_try_advisory_xact_lock_shared(hashtext('lockstep.stops')) then
      outcome := 'not_at_once'; return;
    end if;
    attempt.author := p_at_once_by;
    attempt.session := false;
  elsif attempt.status = 'landed' then
    outcome := 'landed'; version := attempt.version; return;
  elsif attempt.status is distinct from 'staged' then
    outcome := 'dropped'; detail := attempt.drop_reason; return;
  elsif attempt.device <> p_device then
    perform lockstep.act_as(attempt.device);
  end if;
  -- Asked under the row of the repository, as release_replica does: a copy that was given up lands nothing.
  perform 1 from lockstep.replica p
    where p.repository_id = p_repository and p.device = p_device and p.state in ('pending', 'active', 'broken');
  if not found then outcome := 'missing'; return; end if;
  detail := lockstep.stop_reason(p_repository, not at_once);
  if detail is not null then outcome := 'stopped'; return; end if;
  holder := lockstep.turn_holder(p_repository);
  -- A session whose lease has run out cannot land, even if nobody else has come for the turn.
  if holder is distinct from coalesce(attempt.ticket, p_write) and (holder is not null or attempt.session) then outcome := 'turn'; return; end if;
  if holder is not null then
    perform lockstep.act_as(t.device) from lockstep.turn t where t.write_id = holder and t.device <> p_device;
  end if;
  if known.head_version = p_base then
    if known.head_digest <> p_base_digest then outcome := 'stale'; return; end if;
  elsif known.serial or attempt.session or not lockstep.is_base(p_repository, p_base, p_base_digest) then
    outcome := 'stale'; return;
  end if;
  if not lockstep.old_values_hold(p_repository, p_names, p_old_values) then
    outcome := case when known.head_version = p_base then 'in_doubt' else 'stale' end; return;
  end if;
  if known.head_version <> p_base and not (lockstep.old_values_hold(p_repository, p_seen, p_seen_values)
      and lockstep.leaves_room(p_repository, p_names, p_old_values, p_new_values)) then
    outcome := 'stale'; return;
  end if;

  version := known.head_version + 1;
  if at_once then
    -- Before the log: settle_write may make the row at this moment, as dropped.
    insert into lockstep.write (id, repository_id, device, fence, author, base_version, status, version, decided_at)
      values (p_write, p_repository, p_device, p_fence, p_at_once_by, p_base, 'landed', bump.version, clock_timestamp())
      on conflict (id) do nothing;
    if not found then outcome := 'dropped'; version := null; return; end if;
  end if;
  perform lockstep.append(p_write, p_repository, bump.version, p_device, p_fence, attempt.author,
    lockstep.add_digests(known.head_digest, p_difference), p_names, p_old_values, p_new_values, p_holders);
  if not at_once then
    update lockstep.write w set status = 'landed', version = bump.version, decided_at = clock_timestamp(),
      reason = coalesce(p_act->>'reason', w.reason)
      where w.id = p_write;
  end if;
  delete from lockstep.turn t where t.write_id = coalesce(attempt.ticket, p_write);
  if p_act is not null then
    insert into lockstep.audit (author, action, repository, device, detail)
      select attempt.author, p_act->>'action', r.name, p_device,
        p_act->'detail' || jsonb_build_object('reason', p_act->>'reason', 'version', bump.version::text, 'write', p_write)
      from lockstep.repository r where r.id = p_repository;
  end if;
  outcome := 'landed';
end $$;
