-- What a session needs to land, as stage_write answers it for a push.
create function lockstep.stage_session(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_names bytea[],
  out outcome text, out head bigint, out digest bytea, out digest_key bytea, out held_values bytea[],
  out min_copies integer, out land_with_fewer boolean)
language plpgsql set enable_seqscan = off as $$
begin
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  if lockstep.old_leases_end() is not null then outcome := 'old_leases'; return; end if;
  select r.head_version, r.head_digest, r.digest_key, r.min_copies, r.land_with_fewer
    into head, digest, digest_key, min_copies, land_with_fewer
    from lockstep.repository r
    join lockstep.replica p on p.repository_id = r.id and p.device = p_device and p.state not in ('released', 'destroyed')
    where r.id = p_repository;
  if not found then outcome := 'missing'; return; end if;
  if head <> p_base then outcome := 'stale'; return; end if;
  if lockstep.turn_holder(p_repository) is distinct from p_write then outcome := 'turn'; return; end if;
  select array_agg((select r.value from lockstep.repository_ref r where r.repository_id = p_repository and r.name = u.name) order by u.place)
    into held_values from unnest(p_names) with ordinality u (name, place);
  outcome := 'staged';
end $$;
