-- The decisions: who may write (device), what was decided (ref_log), and what that adds up to (repository_ref).
-- Lock order everywhere: device, repository, replica, write. Leases run by this database's clock and no other.

create schema if not exists lockstep;

-- What this schema asks of a program: one that knows less than `compatible_from` must not run against it.
create table lockstep.schema_level (
  only_row boolean primary key default true check (only_row),
  level integer not null,
  compatible_from integer not null
);
insert into lockstep.schema_level (level, compatible_from) values (1, 1);

-- Fences only grow, over all devices and for ever: a statement with an older one is from a process that was replaced.
create sequence lockstep.fence_seq;

create table lockstep.device (
  name text primary key,
  root_id uuid,
  grpc_address text not null default '',
  git_address text not null default '',
  zone text not null default '',
  incarnation uuid,
  fence bigint not null default 0,
  expires_at timestamptz not null default '-infinity',
  started_at timestamptz,
  created_at timestamptz not null default clock_timestamp()
);

create table lockstep.repository (
  id uuid primary key,
  name text not null unique,
  object_format text not null check (object_format in ('sha1', 'sha256')),
  digest_key bytea not null,
  head_version bigint not null default 0 check (head_version >= 0),
  head_digest bytea not null,
  created_at timestamptz not null default clock_timestamp()
);

-- Append-only and dense. The state at version n is the fold of rows 1..n over the symbolic refs set at creation.
create table lockstep.ref_log (
  repository_id uuid not null references lockstep.repository on delete cascade,
  version bigint not null check (version > 0),
  write_id uuid not null unique,
  device text not null,
  fence bigint not null,
  author text not null,
  digest bytea not null,
  landed_at timestamptz not null default clock_timestamp(),
  primary key (repository_id, version)
);

-- Names and values are bytes: git takes names that are not UTF-8. A value is what a loose ref file holds: an object id in
-- hex, or 'ref: <name>' for a symbolic ref such as HEAD.
create table lockstep.ref_log_update (
  repository_id uuid not null,
  version bigint not null,
  name bytea not null,
  old_value bytea,
  new_value bytea,
  primary key (repository_id, version, name),
  foreign key (repository_id, version) references lockstep.ref_log on delete cascade,
  check (old_value is distinct from new_value)
);

-- The fold at the head, kept by the statement that appends: a new replica needs no replay.
create table lockstep.repository_ref (
  repository_id uuid not null references lockstep.repository on delete cascade,
  name bytea not null,
  value bytea not null,
  primary key (repository_id, name)
);

create table lockstep.replica (
  repository_id uuid not null references lockstep.repository on delete cascade,
  device text not null references lockstep.device,
  version bigint not null default 0,
  state text not null default 'pending' check (state in ('pending', 'active', 'broken', 'released', 'destroyed')),
  fence bigint not null default 0,
  last_error text,
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (repository_id, device)
);
create index replica_by_device on lockstep.replica (device);

-- Rows outlive every retry: whoever was cut off asks here what became of its write.
create table lockstep.write (
  id uuid primary key,
  repository_id uuid not null references lockstep.repository on delete cascade,
  device text not null,
  fence bigint not null,
  author text not null,
  reason text not null default '',
  base_version bigint not null,
  status text not null default 'staged' check (status in ('staged', 'landed', 'dropped')),
  version bigint,
  drop_reason text,
  started_at timestamptz not null default clock_timestamp(),
  decided_at timestamptz,
  check ((status = 'landed') = (version is not null)),
  check ((status = 'staged') = (decided_at is null))
);
create index write_staged on lockstep.write (device) where status = 'staged';
create index write_staged_by_repository on lockstep.write (repository_id) where status = 'staged';

-- The write turn: first come, first served. The lowest unexpired ticket holds it, and bumps of others are refused.
create table lockstep.turn (
  repository_id uuid not null references lockstep.repository on delete cascade,
  ticket bigint generated always as identity,
  write_id uuid not null unique,
  device text not null,
  author text not null,
  reason text not null,
  since timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (repository_id, ticket)
);

create table lockstep.sync_event (
  id bigint generated always as identity primary key,
  repository_id uuid not null references lockstep.repository on delete cascade,
  device text not null,
  from_device text not null,
  from_version bigint not null,
  version bigint not null,
  bytes bigint not null,
  refs_changed integer not null,
  duration_ms integer not null,
  result text not null check (result in ('ok', 'failed')),
  error text,
  at timestamptz not null default clock_timestamp()
);
create index sync_event_recent on lockstep.sync_event (repository_id, device, id desc);

-- A new incarnation takes its device over: a bigger fence, and what the old one had staged is dropped in the same
-- transaction. `p_old_is_gone`: the caller holds the operating system's lock on the root, so no process of the old
-- incarnation is left; it need not wait for the lease if that root is the one the device last served.
create function lockstep.take_over(
  p_device text, p_incarnation uuid, p_root_id uuid, p_old_is_gone boolean, p_ttl interval,
  p_grpc_address text, p_git_address text, p_zone text,
  out outcome text, out fence bigint, out previous_fence bigint, out wait_ms integer, out interrupted uuid[])
language plpgsql as $$
declare
  held lockstep.device%rowtype;
begin
  insert into lockstep.device (name) values (p_device) on conflict do nothing;
  -- for update: waits for bumps of the old incarnation that are under way (they hold key share), so that none of
  -- them lands after its write is dropped below.
  select * into held from lockstep.device d where d.name = p_device for update;
  previous_fence := held.fence;
  if held.expires_at > clock_timestamp() and held.incarnation is distinct from p_incarnation
     and not (p_old_is_gone and held.root_id = p_root_id) then
    outcome := 'held';
    wait_ms := ceil(extract(epoch from held.expires_at - clock_timestamp()) * 1000);
    return;
  end if;
  fence := nextval('lockstep.fence_seq');
  update lockstep.device d set incarnation = p_incarnation, fence = take_over.fence, root_id = p_root_id,
    expires_at = clock_timestamp() + p_ttl, started_at = clock_timestamp(),
    grpc_address = p_grpc_address, git_address = p_git_address, zone = p_zone
  where d.name = p_device;
  with dropped as (
    update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
      drop_reason = 'the sidecar of device ' || p_device || ' ended before the write was decided'
    where w.device = p_device and w.status = 'staged'
    returning w.repository_id)
  select coalesce(array_agg(distinct d.repository_id), '{}') into interrupted from dropped d;
  delete from lockstep.turn t where t.device = p_device;
  outcome := 'taken';
end $$;

-- Before a write touches the disk: its row, so that a take-over can drop it. Answers with what the named refs hold at the
-- head; nothing is staged unless the base is the head.
create function lockstep.stage_write(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_author text, p_names bytea[],
  out outcome text, out head bigint, out digest bytea, out digest_key bytea, out held_values bytea[])
language plpgsql as $$
declare
  holder uuid;
begin
  -- A server that crashes may forget this row: then the write cannot land, which is what would have become of it anyway.
  perform set_config('synchronous_commit', 'off', true);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  select r.head_version, r.head_digest, r.digest_key into head, digest, digest_key
    from lockstep.repository r
    join lockstep.replica p on p.repository_id = r.id and p.device = p_device and p.state not in ('released', 'destroyed')
    where r.id = p_repository;
  if not found then outcome := 'missing'; return; end if;
  if head <> p_base then outcome := 'stale'; return; end if;
  select t.write_id into holder from lockstep.turn t
    where t.repository_id = p_repository and t.expires_at > clock_timestamp() order by t.ticket limit 1;
  if holder is distinct from p_write and holder is not null then outcome := 'turn'; return; end if;
  select array_agg(r.value order by u.place) into held_values
    from unnest(p_names) with ordinality u (name, place)
    left join lockstep.repository_ref r on r.repository_id = p_repository and r.name = u.name;
  insert into lockstep.write (id, repository_id, device, fence, author, base_version)
    values (p_write, p_repository, p_device, p_fence, p_author, p_base);
  outcome := 'staged';
end $$;

-- THE decision, one autocommit statement. The order of the checks is the order in which their answers are final.
create function lockstep.bump(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_digest bytea,
  p_names bytea[], p_old_values bytea[], p_new_values bytea[],
  out outcome text, out version bigint, out detail text)
language plpgsql as $$
declare
  current_head bigint;
  attempt lockstep.write%rowtype;
  holder uuid;
  matching bigint;
begin
  -- Landed already: the same answer, whoever asks and however late.
  select l.version into version from lockstep.ref_log l where l.write_id = p_write;
  if found then outcome := 'landed'; return; end if;
  -- key share: blocks a take-over until this statement is done, and not the renewal of the lease.
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  select r.head_version into current_head from lockstep.repository r where r.id = p_repository for update;
  if not found then outcome := 'missing'; return; end if;
  select * into attempt from lockstep.write w where w.id = p_write for update;
  if attempt.status = 'landed' then outcome := 'landed'; version := attempt.version; return; end if;
  if attempt.status is distinct from 'staged' then
    outcome := 'dropped'; detail := attempt.drop_reason; return;
  end if;
  select t.write_id into holder from lockstep.turn t
    where t.repository_id = p_repository and t.expires_at > clock_timestamp() order by t.ticket limit 1;
  if holder is distinct from p_write and holder is not null then outcome := 'turn'; return; end if;
  if current_head <> p_base then outcome := 'stale'; version := current_head; return; end if;
  -- Every old value must be the one in the fold, or this replica's disk is not what it claims to be.
  select count(*) into matching
    from unnest(p_names, p_old_values) u (name, old_value)
    left join lockstep.repository_ref r on r.repository_id = p_repository and r.name = u.name
    where r.value is not distinct from u.old_value;
  if matching <> cardinality(p_names) then outcome := 'in_doubt'; return; end if;

  version := current_head + 1;
  insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
    values (p_repository, bump.version, p_write, p_device, p_fence, attempt.author, p_digest);
  insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
    select p_repository, bump.version, u.name, u.old_value, u.new_value
    from unnest(p_names, p_old_values, p_new_values) u (name, old_value, new_value);
  delete from lockstep.repository_ref r using unnest(p_names, p_new_values) u (name, new_value)
    where r.repository_id = p_repository and r.name = u.name and u.new_value is null;
  insert into lockstep.repository_ref (repository_id, name, value)
    select p_repository, u.name, u.new_value from unnest(p_names, p_new_values) u (name, new_value)
    where u.new_value is not null
    on conflict (repository_id, name) do update set value = excluded.value;
  update lockstep.repository r set head_version = bump.version, head_digest = p_digest where r.id = p_repository;
  update lockstep.write w set status = 'landed', version = bump.version, decided_at = clock_timestamp()
    where w.id = p_write;
  delete from lockstep.turn t where t.write_id = p_write;
  outcome := 'landed';
end $$;

-- After any doubt: makes the row final, then obeys it. Waits for a bump that is under way (its row lock).
create function lockstep.settle_write(
  p_write uuid, p_reason text, out status text, out version bigint, out drop_reason text)
language plpgsql as $$
begin
  update lockstep.write w set status = 'dropped', drop_reason = p_reason, decided_at = clock_timestamp()
    where w.id = p_write and w.status = 'staged';
  select w.status, w.version, w.drop_reason into status, version, drop_reason
    from lockstep.write w where w.id = p_write;
end $$;
