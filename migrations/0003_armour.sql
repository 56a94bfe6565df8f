-- Write sessions (a turn with a lease and a write row of its own), drain (write locks), and what an operator decides when the
-- leaders of a repository are lost. Every function here replaces the one of the same name before it.

-- A write that a caller makes in a scratch repository. `token`: whoever has it may land or drop the write. `reason`: what the
-- caller said it is for.
alter table lockstep.write add column session boolean not null default false;
alter table lockstep.write add column token uuid;

-- Writes are refused with this reason. repository_id null: to every repository. Until `closed` writes that were staged before may
-- still land; who enables it waits for those, closes it, and waits for those that were being staged meanwhile.
create table lockstep.write_lock (
  id bigint generated always as identity primary key,
  repository_id uuid references lockstep.repository on delete cascade,
  reason text not null,
  author text not null,
  closed boolean not null default false,
  since timestamptz not null default clock_timestamp()
);
create unique index write_lock_one_each on lockstep.write_lock (coalesce(repository_id, '00000000-0000-0000-0000-000000000000'));

-- What operators did.
create table lockstep.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  author text not null,
  action text not null,
  repository text,
  device text,
  detail jsonb not null default '{}'
);
create index audit_by_repository on lockstep.audit (repository, id desc);

-- The objects of a write are on so many devices before it lands; `land_with_fewer`: where so many cannot be had in time it lands all the
-- same, and its pusher is told. Beside the device that landed it, the log names those that held its objects then.
alter table lockstep.repository add column min_copies integer not null default 1 check (min_copies between 1 and 100);
alter table lockstep.repository add column land_with_fewer boolean not null default false;
alter table lockstep.ref_log add column copies text[] not null default '{}';

-- Why nobody may read or write a repository until an operator has decided: a device holds what this database has lost.
alter table lockstep.repository add column stopped text;

-- An operator's version: what it replaces, and what disks hold from before it that the log does not know, has been given up. Whoever
-- follows over it keeps that aside.
alter table lockstep.ref_log add column settles boolean not null default false;
create index ref_log_settles on lockstep.ref_log (repository_id, version) where settles;

-- As before, with what the refs at the head must be, why the repository is stopped, and why writes are. Of write locks there are seldom any.
create or replace function lockstep.read_heads(p_device text, p_names text[]) returns json
language plpgsql stable as $$
begin
  return (
    select json_build_object(
      'fence', d.fence::text,
      'standby', pg_is_in_recovery(),
      'heads', (
        select coalesce(json_agg(json_build_array(
          r.name, r.id, r.head_version::text, r.object_format, p.state, encode(r.head_digest, 'hex'), r.stopped,
          case when exists (select from lockstep.write_lock) then lockstep.write_refused(r.id, false) end)), '[]')
        from lockstep.repository r left join lockstep.replica p on p.repository_id = r.id and p.device = d.name
        where r.name = any(p_names)))
    from lockstep.device d where d.name = p_device);
end $$;

-- Who has the turn of a repository, if anyone has.
create function lockstep.turn_holder(p_repository uuid) returns uuid
language sql stable as $$
  select t.write_id from lockstep.turn t
  where t.repository_id = p_repository and t.expires_at > clock_timestamp() order by t.ticket limit 1
$$;

-- Why nobody may write to a repository; null: they may. `p_closed`: only locks that let no write through any more.
create function lockstep.write_refused(p_repository uuid, p_closed boolean) returns text
language sql stable as $$
  select coalesce(
    (select r.stopped from lockstep.repository r where r.id = p_repository),
    (select l.reason from lockstep.write_lock l
     where (l.repository_id is null or l.repository_id = p_repository) and (l.closed or not p_closed) order by l.id limit 1))
$$;

-- How what disks hold stands to the log: 'same'; 'ahead' and 'diverged', when this database has lost writes; 'settled', when an
-- operator has given that up; 'unknown', when the log does not reach back so far.
create function lockstep.standing(p_repositories uuid[], p_versions bigint[], p_digests bytea[])
  returns table (repository_id uuid, head bigint, standing text)
language sql stable as $$
  select r.id, r.head_version,
    case when l.digest = d.digest then 'same'
      when exists (select from lockstep.ref_log s where s.repository_id = r.id and s.version > d.version and s.settles) then 'settled'
      when d.version > r.head_version then 'ahead'
      when l.digest is null then 'unknown'
      else 'diverged' end
  from unnest(p_repositories, p_versions, p_digests) d (repository_id, version, digest)
  join lockstep.repository r on r.id = d.repository_id
  left join lockstep.ref_log l on l.repository_id = r.id and l.version = d.version
$$;

-- A device holds what this database has lost: nobody reads or writes the repository until an operator has decided.
create function lockstep.stop_repository(p_repository uuid, p_device text, p_fence bigint, p_version bigint, p_reason text) returns void
language plpgsql as $$
begin
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return; end if;
  perform 1 from lockstep.repository r where r.id = p_repository for update;
  -- The version that its disk has, which the next one must exceed.
  update lockstep.replica p set state = 'broken', last_error = p_reason, version = greatest(p.version, p_version)
    where p.repository_id = p_repository and p.device = p_device and p.state in ('pending', 'active', 'broken');
  update lockstep.repository r set stopped = p_reason where r.id = p_repository and r.stopped is null;
  if found then
    insert into lockstep.audit (author, action, repository, device, detail)
      select 'device ' || p_device, 'stop', r.name, p_device, json_build_object('reason', p_reason)
      from lockstep.repository r where r.id = p_repository;
  end if;
end $$;

-- Takes or renews the ticket of a write, and says whether it has the turn. A ticket that ran out has lost its place: someone else may
-- have begun meanwhile.
create function lockstep.take_turn(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text, p_ttl interval) returns boolean
language plpgsql as $$
begin
  delete from lockstep.turn t where t.repository_id = p_repository and t.expires_at <= clock_timestamp();
  insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
    select p_repository, p_write, d.name, p_author, p_reason, clock_timestamp() + p_ttl
    from lockstep.device d where d.name = p_device and d.fence = p_fence
    on conflict (write_id) do update set expires_at = excluded.expires_at;
  return coalesce(lockstep.turn_holder(p_repository) = p_write, false);
end $$;

-- Begins the session of a write that has the turn: its row, with the head as its base. Locks the repository: every bump that did
-- not see the turn has ended when this reads the head. Repeated, it answers as before.
create function lockstep.begin_session(
  p_write uuid, p_token uuid, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text,
  out outcome text, out base bigint, out token uuid, out detail text)
language plpgsql as $$
declare
  known lockstep.write%rowtype;
begin
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  select r.head_version into base from lockstep.repository r where r.id = p_repository for no key update;
  if not found then outcome := 'missing'; return; end if;
  select * into known from lockstep.write w where w.id = p_write;
  if found and (known.status <> 'staged' or not known.session or known.device <> p_device) then
    outcome := 'used'; detail := known.status; return;
  end if;
  if lockstep.turn_holder(p_repository) is distinct from p_write then outcome := 'turn'; return; end if;
  if known.id is not null then outcome := 'begun'; base := known.base_version; token := known.token; return; end if;
  detail := lockstep.write_refused(p_repository, false);
  if detail is not null then outcome := 'drained'; return; end if;
  insert into lockstep.write (id, repository_id, device, fence, author, reason, base_version, session, token)
    values (p_write, p_repository, p_device, p_fence, p_author, p_reason, base, true, p_token);
  token := p_token;
  outcome := 'begun';
end $$;

-- Of many refs each is looked up by itself, through the index: a join with a repository that the planner takes for small, as most are,
-- costs the product of both. enable_seqscan is off for plans that were made when the table had a page, and are kept.

-- What a session needs to land, as stage_write answers it for a push.
create function lockstep.stage_session(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_names bytea[],
  out outcome text, out head bigint, out digest bytea, out digest_key bytea, out held_values bytea[],
  out min_copies integer, out land_with_fewer boolean)
language plpgsql set enable_seqscan = off as $$
begin
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
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

-- Lands a session that changed no ref: at the version that it began with. Every call of settle_write after it finds that.
create function lockstep.land_unchanged(p_write uuid, p_device text, p_fence bigint, out status text, out version bigint, out drop_reason text)
language plpgsql as $$
begin
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if found then
    update lockstep.write w set status = 'landed', version = w.base_version, decided_at = clock_timestamp()
      where w.id = p_write and w.status = 'staged' and w.session and lockstep.turn_holder(w.repository_id) = p_write;
    delete from lockstep.turn t where t.write_id = p_write;
  end if;
  select w.status, w.version, w.drop_reason into status, version, drop_reason from lockstep.write w where w.id = p_write;
end $$;

-- Sessions whose lease ran out are dropped, on whichever device they were.
create function lockstep.drop_expired_sessions() returns void
language sql as $$
  with expired as (
    select w.id from lockstep.write w
    where w.status = 'staged' and w.session
      and not exists (select from lockstep.turn t where t.write_id = w.id and t.expires_at > clock_timestamp())
    for update skip locked)
  update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
    drop_reason = 'the lease of its session ran out: nobody renewed it'
  from expired where w.id = expired.id
$$;

-- As before, and refused where writes are. Repeated, it answers as before.
drop function lockstep.stage_write(uuid, uuid, text, bigint, bigint, text, bytea[]);
create function lockstep.stage_write(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_author text, p_names bytea[],
  out outcome text, out head bigint, out digest bytea, out digest_key bytea, out held_values bytea[],
  out min_copies integer, out land_with_fewer boolean, out detail text)
language plpgsql set enable_seqscan = off as $$
declare
  holder uuid;
begin
  -- A server that crashes may forget this row: then the write cannot land, which is what would have become of it anyway.
  perform set_config('synchronous_commit', 'off', true);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  select r.head_version, r.head_digest, r.digest_key, r.min_copies, r.land_with_fewer
    into head, digest, digest_key, min_copies, land_with_fewer
    from lockstep.repository r
    join lockstep.replica p on p.repository_id = r.id and p.device = p_device and p.state not in ('released', 'destroyed')
    where r.id = p_repository;
  if not found then outcome := 'missing'; return; end if;
  detail := lockstep.write_refused(p_repository, false);
  if detail is not null then outcome := 'drained'; return; end if;
  if head <> p_base then outcome := 'stale'; return; end if;
  holder := lockstep.turn_holder(p_repository);
  if holder is distinct from p_write and holder is not null then outcome := 'turn'; return; end if;
  select array_agg((select r.value from lockstep.repository_ref r where r.repository_id = p_repository and r.name = u.name) order by u.place)
    into held_values from unnest(p_names) with ordinality u (name, place);
  insert into lockstep.write (id, repository_id, device, fence, author, base_version)
    values (p_write, p_repository, p_device, p_fence, p_author, p_base)
    on conflict (id) do nothing;
  outcome := 'staged';
end $$;

-- THE decision, one autocommit statement. The order of the checks is the order in which their answers are final.
drop function lockstep.bump(uuid, uuid, text, bigint, bigint, bytea, bytea[], bytea[], bytea[]);
create function lockstep.bump(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_digest bytea,
  p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_copies text[],
  out outcome text, out version bigint, out detail text)
language plpgsql set enable_seqscan = off as $$
declare
  current_head bigint;
  attempt lockstep.write%rowtype;
  holder uuid;
  matching bigint;
begin
  -- A server that crashes must not forget a decision, whatever its configuration says of other commits.
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
  -- Landed already: the same answer, whoever asks and however late.
  select l.version into version from lockstep.ref_log l where l.write_id = p_write;
  if found then outcome := 'landed'; return; end if;
  -- key share: blocks a take-over until this statement is done, and not the renewal of the lease.
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  -- no key: rows that only refer to the repository, such as a write that is being staged, do not wait for this.
  select r.head_version into current_head from lockstep.repository r where r.id = p_repository for no key update;
  if not found then outcome := 'missing'; return; end if;
  select * into attempt from lockstep.write w where w.id = p_write for update;
  if attempt.status = 'landed' then outcome := 'landed'; version := attempt.version; return; end if;
  if attempt.status is distinct from 'staged' then
    outcome := 'dropped'; detail := attempt.drop_reason; return;
  end if;
  detail := lockstep.write_refused(p_repository, true);
  if detail is not null then outcome := 'drained'; return; end if;
  holder := lockstep.turn_holder(p_repository);
  -- A session whose lease ran out has lost, even where nobody else has come.
  if holder is distinct from p_write and (holder is not null or attempt.session) then outcome := 'turn'; return; end if;
  if current_head <> p_base then outcome := 'stale'; version := current_head; return; end if;
  -- Every old value must be the one in the fold, or this replica's disk is not what it claims to be.
  select count(*) into matching
    from unnest(p_names, p_old_values) u (name, old_value)
    where u.old_value is not distinct from
      (select r.value from lockstep.repository_ref r where r.repository_id = p_repository and r.name = u.name);
  if matching <> cardinality(p_names) then outcome := 'in_doubt'; return; end if;

  version := current_head + 1;
  perform lockstep.append(p_write, p_repository, bump.version, p_device, p_fence, attempt.author, p_digest,
    p_names, p_old_values, p_new_values, p_copies);
  update lockstep.write w set status = 'landed', version = bump.version, decided_at = clock_timestamp()
    where w.id = p_write;
  delete from lockstep.turn t where t.write_id = p_write;
  outcome := 'landed';
end $$;

-- Appends to the log and keeps the fold at the head. The caller holds the repository's row, and its enable_seqscan is off.
create function lockstep.append(
  p_write uuid, p_repository uuid, p_version bigint, p_device text, p_fence bigint, p_author text, p_digest bytea,
  p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_copies text[]) returns void
language plpgsql as $$
begin
  insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest, copies)
    values (p_repository, p_version, p_write, p_device, p_fence, p_author, p_digest, p_copies);
  insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
    select p_repository, p_version, u.name, u.old_value, u.new_value
    from unnest(p_names, p_old_values, p_new_values) u (name, old_value, new_value);
  delete from lockstep.repository_ref r where r.repository_id = p_repository and r.name = any(array(
    select u.name from unnest(p_names, p_new_values) u (name, new_value) where u.new_value is null));
  insert into lockstep.repository_ref (repository_id, name, value)
    select p_repository, u.name, u.new_value from unnest(p_names, p_new_values) u (name, new_value)
    where u.new_value is not null
    on conflict (repository_id, name) do update set value = excluded.value;
  update lockstep.repository r set head_version = p_version, head_digest = p_digest where r.id = p_repository;
end $$;

-- An operator's version: what the best surviving replica holds (demote), or what a disk holds that is ahead of the database
-- (promote). The head must still be the one that the operator was shown. `p_version` may leave a gap, where the database lost
-- versions that disks have: whoever is in it takes the whole fold. `p_demoted`: devices whose newer versions are given up; each
-- gets a new fence, and what it has staged is dropped.
create function lockstep.thaw(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_head bigint, p_head_digest bytea, p_version bigint,
  p_digest bytea, p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_author text, p_action text,
  p_demoted text[], p_detail jsonb, out outcome text, out version bigint)
language plpgsql set enable_seqscan = off as $$
declare
  current_head bigint;
  current_digest bytea;
  matching bigint;
begin
  select l.version into version from lockstep.ref_log l where l.write_id = p_write;
  if found then outcome := 'landed'; return; end if;
  -- In the order of names, as two of these at once would otherwise wait for each other.
  perform 1 from lockstep.device d where d.name = any(p_demoted || p_device) order by d.name for update;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence;
  if not found then outcome := 'fenced'; return; end if;
  select r.head_version, r.head_digest into current_head, current_digest
    from lockstep.repository r where r.id = p_repository for update;
  if not found then outcome := 'missing'; return; end if;
  if current_head <> p_head or current_digest <> p_head_digest then outcome := 'stale'; return; end if;
  -- One that came back meanwhile may bring what was to be given up.
  perform 1 from lockstep.device d where d.name = any(p_demoted) and d.expires_at > clock_timestamp();
  if found then outcome := 'stale'; return; end if;
  select count(*) into matching
    from unnest(p_names, p_old_values) u (name, old_value)
    where u.old_value is not distinct from
      (select r.value from lockstep.repository_ref r where r.repository_id = p_repository and r.name = u.name);
  if matching <> cardinality(p_names) then outcome := 'stale'; return; end if;

  update lockstep.device d set fence = nextval('lockstep.fence_seq') where d.name = any(p_demoted);
  update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
    drop_reason = p_author || ' settled which versions stay (' || p_action || ')'
    where (w.repository_id = p_repository or w.device = any(p_demoted)) and w.status = 'staged';
  delete from lockstep.turn t where t.repository_id = p_repository;
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

-- A repository that everyone reads has a catch-up for each push on each device: the newest hundred of a replica tell what people want to
-- know.
create function lockstep.trim_sync_events() returns trigger
language plpgsql as $$
begin
  delete from lockstep.sync_event s
    where s.repository_id = new.repository_id and s.device = new.device and s.id < (
      select e.id from lockstep.sync_event e where e.repository_id = new.repository_id and e.device = new.device
      order by e.id desc offset 99 limit 1);
  return null;
end $$;
create trigger trimmed after insert on lockstep.sync_event for each row execute function lockstep.trim_sync_events();

update lockstep.schema_level set level = 3, compatible_from = 3;
