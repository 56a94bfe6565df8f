-- Appends an operator's version: the refs of the best surviving replica (demote), or those of a disk that is ahead of
-- the database (promote). The head must still be the one that the operator was shown. p_version may leave a gap where
-- the database lost versions that disks have. A replica whose version is in the gap takes the whole fold. p_demoted:
-- devices whose newer versions are given up. Each gets a new fence, and its staged writes are dropped.
create function lockstep.thaw(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_head bigint, p_head_digest bytea, p_version bigint,
  p_digest bytea, p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_author text, p_action text,
  p_demoted text[], p_detail jsonb, out outcome text, out version bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  current_head bigint;
  current_digest bytea;
begin
  perform lockstep.act_as(p_device);
  perform lockstep.act_in(p_repository);
  -- The writes that are dropped below are those of devices that cannot land them any more, as in settle_write.
  if lockstep.is_of_device() then
    perform lockstep.act_as(w.device) from lockstep.write w join lockstep.device d on d.name = w.device and d.fence = w.fence
      where w.repository_id = p_repository and w.device <> p_device and w.status = 'staged' and d.expires_at > clock_timestamp();
  end if;
  select l.version into version from lockstep.ref_log l where l.write_id = p_write for key share;
  if found then outcome := 'landed'; return; end if;
  -- In the order of names: otherwise two calls at once could wait for each other.
  perform 1 from lockstep.device d where d.name = any(p_demoted || p_device) order by d.name for update;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence;
  if not found then outcome := 'fenced'; return; end if;
  if lockstep.old_leases_end() is not null then outcome := 'old_leases'; return; end if;
  select r.head_version, r.head_digest into current_head, current_digest
    from lockstep.repository r where r.id = p_repository and r.removed_at is null for no key update;
  if not found then outcome := 'missing'; return; end if;
  if current_head <> p_head or current_digest <> p_head_digest then outcome := 'stale'; return; end if;
  -- A device that came back meanwhile may bring the versions that were to be given up.
  perform 1 from lockstep.device d where d.name = any(p_demoted) and d.expires_at > clock_timestamp();
  if found then outcome := 'stale'; return; end if;
  if not lockstep.old_values_hold(p_repository, p_names, p_old_values) then outcome := 'stale'; return; end if;

  update lockstep.device d set fence = nextval('lockstep.fence_seq') where d.name = any(p_demoted);
  with undecided as (
    select w.id from lockstep.write w
    where (w.repository_id = p_repository or w.device = any(p_demoted)) and w.status = 'staged' order by w.id for update)
  update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
    drop_reason = p_author || ' settled which versions stay (' || p_action || ')'
    from undecided where w.id = undecided.id;
  with gone as (select t.ticket from lockstep.turn t where t.repository_id = p_repository order by t.ticket for update)
  delete from lockstep.turn t using gone where t.repository_id = p_repository and t.ticket = gone.ticket;
  perform lockstep.append(p_write, p_repository, p_version, p_device, p_fence, p_author, p_digest,
    p_names, p_old_values, p_new_values, '{}');
  update lockstep.ref_log l set settles = true where l.write_id = p_write;
  update lockstep.repository r set stopped = null where r.id = p_repository;
  insert into lockstep.write (id, repository_id, device, fence, author, reason, base_version, status, version, decided_at)
    values (p_write, p_repository, p_device, p_fence, p_author, p_action, p_head, 'landed', p_version, clock_timestamp());
  insert into lockstep.audit (author, action, repository, device, detail)
    select p_author, p_action, r.name, array_to_string(p_demoted, ' '), p_detail from lockstep.repository r where r.id = p_repository;
  version := p_version;
  outcome := 'landed';
end $$;
