-- Adopts a repository that lies on the disk of a device: one autocommit statement. Its refs become version p_version.
-- 'known': an earlier call with that id has adopted it. p_settles: the database has forgotten the repository, and
-- devices may hold other refs under lower numbers. p_others, p_take_over: what other devices that have a directory of
-- that name do with it. The remaining devices take one over if its refs are those of a version.
create function lockstep.adopt(
  p_repository uuid, p_name text, p_device text, p_fence bigint, p_object_format text, p_digest_key bytea,
  p_version bigint, p_digest bytea, p_write uuid, p_author text, p_names bytea[], p_values bytea[], p_settles boolean,
  p_others text[], p_take_over text[], p_late interval, out outcome text, out version bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  known_name text;
  holding text[];
begin
  perform lockstep.act_as(p_device);
  -- A device that registers meanwhile is seen by the next statement, or its own look at all repositories sees this one
  -- (take_over).
  perform pg_advisory_xact_lock_shared(hashtext('lockstep.placement'));
  holding := lockstep.holding_devices(null);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  if lockstep.old_leases_end() is not null then outcome := 'old_leases'; return; end if;
  -- The row lock makes this answer wait for the standby too.
  select r.name, r.head_version into known_name, version from lockstep.repository r where r.id = p_repository for key share;
  if found then
    outcome := case when known_name = p_name then 'known' else 'elsewhere' end;
    return;
  end if;
  insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
    values (p_repository, p_name, p_object_format, p_digest_key, decode(repeat('00', 32), 'hex')) on conflict do nothing;
  if not found then
    -- A call at the same time was faster.
    perform 1 from lockstep.repository r where r.id = p_repository and r.name = p_name for key share;
    outcome := case when found then 'known' else 'exists' end;
    return;
  end if;
  delete from lockstep.former_name f where f.name = p_name;
  perform lockstep.append(p_write, p_repository, p_version, p_device, p_fence, p_author, p_digest,
    p_names, array_fill(null::bytea, array[cardinality(p_names)]), p_values, '{}');
  update lockstep.ref_log l set settles = p_settles where l.write_id = p_write and p_settles;
  insert into lockstep.write (id, repository_id, device, fence, author, reason, base_version, status, version, decided_at)
    values (p_write, p_repository, p_device, p_fence, p_author, 'adopt', 0, 'landed', p_version, clock_timestamp());
  insert into lockstep.replica (repository_id, device) select p_repository, name from (
    select distinct name from unnest(holding || p_device) name) d;
  insert into lockstep.adoption (repository_id, device, takes_over, late_until)
    select p_repository, p.device, case when p.device <> p_device then coalesce(o.take_over, 'same') end,
      case when p.device = p_device then clock_timestamp() + p_late end
    from lockstep.replica p left join unnest(p_others, p_take_over) o (device, take_over) on o.device = p.device
    where p.repository_id = p_repository;
  -- Directories of that name are replicas from now on. If one still is not, the next scan of its device finds it again.
  delete from lockstep.unknown_directory u using lockstep.replica p
    where u.repository = p_name and p.repository_id = p_repository and p.device = u.device;
  insert into lockstep.audit (author, action, repository, device, detail)
    values (p_author, 'adopt', p_name, p_device, json_build_object('version', p_version, 'refs', cardinality(p_names)));
  version := p_version;
  outcome := 'adopted';
end $$;
