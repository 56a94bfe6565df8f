-- Makes the row of a write before the write touches the disk, so that a take-over can drop it. Returns the values of
-- the named refs at the head. It stages nothing unless writes are allowed. The base is the head, or a version of the
-- log with that digest. Then the values of the refs decide (bump). p_base_digest null: only the head will do. A
-- repeated call gets the same answer. p_session: the write of a session has its row already and must have the turn. A
-- stop refuses it only once that stop includes staged writes.
--
-- Each ref is looked up by itself through the index. The planner takes a repository for small, as most are, and a join
-- then costs the product of both. enable_seqscan is off because a connection keeps plans that it made when the table
-- had one page.
create function lockstep.stage_write(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_author text, p_names bytea[],
  p_ticket uuid, p_session boolean, p_base_digest bytea,
  out outcome text, out head bigint, out digest bytea, out digest_key bytea, out held_values bytea[],
  out min_copies integer, out land_with_fewer boolean, out detail text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  serial boolean;
  holder uuid;
  takes_writes boolean;
begin
  perform lockstep.act_as(p_device);
  -- A server that crashes may forget this row. Then the write cannot land, and after such a crash it would not have
  -- landed anyway.
  if not p_session then perform set_config('synchronous_commit', 'off', true); end if;
  select d.writes and d.draining_since is null and d.revoked_at is null into takes_writes
    from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  if not p_session and not takes_writes then outcome := 'elsewhere'; return; end if;
  if lockstep.old_leases_end() is not null then outcome := 'old_leases'; return; end if;
  select r.head_version, r.head_digest, r.digest_key, r.min_copies, r.land_with_fewer, r.serial
    into head, digest, digest_key, min_copies, land_with_fewer, serial
    from lockstep.repository r
    join lockstep.replica p on p.repository_id = r.id and p.device = p_device and p.state not in ('released', 'destroyed')
    where r.id = p_repository and r.removed_at is null;
  if not found then outcome := 'missing'; return; end if;
  if not p_session then detail := lockstep.stop_reason(p_repository, false); end if;
  if detail is not null then outcome := 'stopped'; return; end if;
  if head <> p_base and (serial or p_session or not lockstep.is_base(p_repository, p_base, p_base_digest)) then
    outcome := 'stale'; return;
  end if;
  holder := lockstep.turn_holder(p_repository);
  if holder is distinct from coalesce(p_ticket, p_write) and (holder is not null or p_session) then outcome := 'turn'; return; end if;
  if holder is not null then
    perform lockstep.act_as(t.device) from lockstep.turn t where t.write_id = holder and t.device <> p_device;
  end if;
  select array_agg((select r.value from lockstep.repository_ref r where r.repository_id = p_repository and r.name = u.name) order by u.place)
    into held_values from unnest(p_names) with ordinality u (name, place);
  if not p_session then
    insert into lockstep.write (id, repository_id, device, fence, author, base_version, ticket)
      values (p_write, p_repository, p_device, p_fence, p_author, p_base, p_ticket)
      on conflict (id) do nothing;
    -- The write was dropped before this statement came: the statement may have been held up for longer than its caller
    -- waited.
    if (select w.status from lockstep.write w where w.id = p_write) <> 'staged' then outcome := 'dropped'; return; end if;
  end if;
  outcome := 'staged';
end $$;
