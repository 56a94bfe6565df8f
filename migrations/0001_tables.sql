-- The tables hold the decisions: who may write (device), what was decided (ref_log), and the refs that follow from it
-- (repository_ref).
-- The functions in functions/ make the decisions; each has a file of its own. Leases run by this database's clock and
-- no other.
--
-- Lock order everywhere: device, registry, repository, replica, write, turn, command, audit. Several rows of one
-- table are locked in the order of their key. Nobody locks a repository more strongly than `no key update`, except
-- purge_removed, which deletes one that nobody uses. So the foreign keys of rows that refer to a repository, which are
-- checked at the end of a statement, never wait. test/integration/lock-order.test.ts runs every pair of statements
-- against each other.

create schema if not exists lockstep;

-- A program whose schema level is below `compatible_from` must not run against this schema.
create table lockstep.schema_level (
  only_row boolean primary key default true check (only_row),
  level integer not null,
  compatible_from integer not null
);
insert into lockstep.schema_level (level, compatible_from) values (1, 1);

-- The server on which this database was last seen (current_timeline), and since when. since null: since the database
-- was first used.
create table lockstep.timeline (
  only_row boolean primary key default true check (only_row),
  id text not null,
  since timestamptz
);

-- Fences only grow, over all devices and for ever. A statement with an older fence comes from a process that was
-- replaced.
create sequence lockstep.fence_seq;

create table lockstep.device (
  name text primary key,
  root_id uuid,
  -- Where the root of the device was when it was last served, and in which file system. An empty directory at that
  -- place may be the mount point of a disk that is missing.
  root_path text,
  root_mount text,
  root_place text,
  grpc_address text not null default '',
  git_address text not null default '',
  -- Where its sshd listens, and the account there. Empty: other devices cannot reach it over ssh.
  ssh_address text not null default '',
  ssh_user text not null default '',
  zone text not null default '',
  incarnation uuid,
  fence bigint not null default 0,
  expires_at timestamptz not null default '-infinity',
  -- For how long a renewal is good, and the timeline of the only server that this device believes.
  ttl interval not null default '15 s',
  timeline text,
  started_at timestamptz,
  -- A device that drains takes no new replicas and no writes. A device that was removed counts nowhere.
  draining_since timestamptz,
  removed_at timestamptz,
  -- When the last trusted key of the device was revoked. It takes no writes until a key of it is trusted again.
  revoked_at timestamptz,
  -- True: its sidecar runs with --trust-ca.
  trusts_ca boolean not null default false,
  -- False: pushes and sessions go to the other devices; reads are served.
  writes boolean not null default true,
  -- The file system of its root in bytes, as the device told it last. null: it has told nothing.
  disk_free bigint check (disk_free >= 0),
  disk_size bigint check (disk_size >= 0),
  -- True: the replicas of all repositories that are on all devices have been inserted.
  placed boolean not null default false,
  created_at timestamptz not null default clock_timestamp()
);

create table lockstep.repository (
  id uuid primary key,
  name text not null,
  object_format text not null check (object_format in ('sha1', 'sha256')),
  digest_key bytea not null,
  head_version bigint not null default 0 check (head_version >= 0),
  head_digest bytea not null,
  -- A write lands when its objects are on `min_copies` devices. If they are on fewer in time and `land_with_fewer` is
  -- set, it lands all the same and its pusher is told.
  min_copies integer not null default 1 check (min_copies between 1 and 100),
  land_with_fewer boolean not null default false,
  -- True: a write lands only on the version that its device holds, so that a hook sees all refs as they are then.
  serial boolean not null default false,
  -- Why nobody may read or write this repository until an operator has decided: a device holds versions that this
  -- database has lost.
  stopped text,
  -- The versions up to this one have been trimmed from the log, or are about to be, except those of operators. 0: none.
  log_base bigint not null default 0,
  -- For how long one update of a replica may run. null: the default of the sidecars.
  update_limit interval check (update_limit > interval '0'),
  -- The devices that hold the repository. null: all devices, also those that join later.
  placement text[] check (placement is null or cardinality(placement) > 0),
  -- How many versions, and versions of how many days, the log keeps at least. null: as the setting of the cluster says.
  keep_versions bigint check (keep_versions >= 0),
  keep_days integer check (keep_days between 0 and 36500),
  -- When a device next looks whether the log has something to trim.
  trim_at timestamptz not null default clock_timestamp() + interval '1 day',
  -- A repository that was removed: the name that it had, when that was, and until when it can be restored. Its `name`
  -- is '.removed/' with its id, which no repository can have. So a look-up by name does not find it, and its name is
  -- free.
  removed_name text,
  removed_at timestamptz,
  keep_until timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  check ((removed_at is null) = (removed_name is null) and (removed_at is null) = (keep_until is null))
);

create index repository_trim on lockstep.repository (trim_at);
create index repository_removed on lockstep.repository (removed_name, removed_at) where removed_at is not null;

-- Settings of the cluster that operators change while it runs. A setting that has no row has its default.
create table lockstep.setting (
  name text primary key,
  value jsonb not null,
  author text not null,
  changed_at timestamptz not null default clock_timestamp()
);

-- The things that a device keeps on its disk besides its replicas, as it last counted them
-- (src/store/retention/subjects.ts).
create table lockstep.kept_on_disk (
  device text not null references lockstep.device on delete cascade,
  subject text not null,
  items bigint not null,
  bytes bigint not null,
  counted_at timestamptz not null default clock_timestamp(),
  primary key (device, subject)
);

-- The positions of landed versions in the log of the whole cluster. They only grow. A position that was handed out may
-- stay without a row: its transaction was rolled back, or the server ended.
create sequence lockstep.ref_log_position;

-- The name is unique. The index has a condition that always holds, so PostgreSQL does not take the name for a key that
-- foreign keys may refer to. Otherwise a rename would lock the row `for update`, and rows that refer to it would wait.
create unique index repository_by_name on lockstep.repository (name) where name is not null;

-- Names that repositories had before they were renamed. Until then, callers that use the old name are told the new one.
-- A repository that takes the name ends that.
create table lockstep.former_name (
  name text primary key,
  repository_id uuid not null references lockstep.repository on delete cascade,
  until timestamptz not null
);

-- Append-only, without gaps except where an operator's version leaves one. The state at version n is the fold of rows
-- 1..n over the symbolic refs set at creation.
create table lockstep.ref_log (
  repository_id uuid not null references lockstep.repository on delete cascade,
  version bigint not null check (version > 0),
  write_id uuid not null unique,
  device text not null,
  fence bigint not null,
  author text not null,
  digest bytea not null,
  landed_at timestamptz not null default clock_timestamp(),
  -- Other devices that held the objects when the version landed.
  holders text[] not null default '{}',
  -- True for a version that an operator appends. It gives up the refs that it replaces, and older refs on disks that
  -- the log does not know. Each device that catches up past such a version saves the refs that it would lose.
  settles boolean not null default false,
  -- For those who watch the whole cluster. A repository's row is locked from before the position is handed out until
  -- the commit, so within a repository positions grow with versions. Between repositories a lower position may be
  -- committed later (functions/log_tail.sql).
  position bigint not null default nextval('lockstep.ref_log_position'),
  primary key (repository_id, version)
);

create index ref_log_settles on lockstep.ref_log (repository_id, version) where settles;
create unique index ref_log_by_position on lockstep.ref_log (position);

-- Up to which position the log of a repository was trimmed. A watcher with an older cursor has missed something.
create table lockstep.log_trimmed (
  repository_id uuid primary key references lockstep.repository on delete cascade,
  position bigint not null
);
create index log_trimmed_by_position on lockstep.log_trimmed (position);

-- Names and values are bytes, because git takes names that are not UTF-8. A value is the content of a loose ref file:
-- an object id in hex, or 'ref: <name>' for a symbolic ref such as HEAD.
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

-- The fold at the head. The statement that appends to the log keeps it, so a new replica needs no replay.
create table lockstep.repository_ref (
  repository_id uuid not null references lockstep.repository on delete cascade,
  name bytea not null,
  value bytea not null,
  primary key (repository_id, name)
);

-- A row for each device that should hold the repository, whether the device is there or not. A row whose device should
-- not hold it any more stays until that device has removed its files. src/replica-states.ts says who may move a row to
-- which state.
create table lockstep.replica (
  repository_id uuid not null references lockstep.repository on delete cascade,
  device text not null references lockstep.device,
  version bigint not null default 0,
  state text not null default 'pending' check (state in ('pending', 'active', 'broken', 'released', 'destroyed')),
  fence bigint not null default 0,
  -- The number of the last statement that lowered the version. A record with a lower number comes too late.
  statement_number bigint not null default 0,
  last_error text,
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  updated_at timestamptz not null default clock_timestamp(),
  -- Of a replica that was not made with its repository: the last push before the row came. Devices copy the
  -- repositories first that were pushed to last.
  pushed_at timestamptz,
  -- When the device gave its copy up. It keeps the files for some days.
  released_at timestamptz,
  -- The version of those files, when the device is asked to hold the repository again and has not taken them back yet.
  kept bigint not null default 0,
  -- When all its objects were last read, and what that found. scrub null: never; then the time is that of the row.
  scrubbed_at timestamptz not null default clock_timestamp(),
  scrub jsonb,
  -- Earlier names of the repository: the directory of this replica may still lie at the place of one of them. Empty: it
  -- lies at the place of the name. In a released or destroyed copy: where its files may still lie, if they were
  -- not moved aside yet.
  places text[] not null default '{}',
  primary key (repository_id, device)
);
create index replica_to_scrub on lockstep.replica (device, scrubbed_at) where state = 'active';
create index replica_scrubbed on lockstep.replica (device, scrubbed_at) where scrub is not null;
create index replica_scrub_found on lockstep.replica (device) where scrub ->> 'clean' = 'false';
create index replica_by_device on lockstep.replica (device, repository_id);
create index replica_broken on lockstep.replica (device, repository_id) where state = 'broken';
create index replica_pending on lockstep.replica (device, pushed_at desc nulls first) where state = 'pending';
create index replica_released on lockstep.replica (device, released_at) where state = 'released';
create index replica_moving on lockstep.replica (device) where places <> '{}';

-- What a device may do with a directory of somebody else at the place of its replica. No row: nothing.
create table lockstep.adoption (
  repository_id uuid not null references lockstep.repository on delete cascade,
  device text not null references lockstep.device on delete cascade,
  -- same: take it over if it has the refs of a version. known: its refs were those of the first version when it was
  -- adopted, and pushes of plain git may have changed them since. replace: keep its refs aside and follow. null: the
  -- directory is the replica now.
  takes_over text check (takes_over in ('same', 'known', 'replace')),
  -- Until then, changed refs on the disk come from a push of plain git that began before the adoption. They land as a
  -- write.
  late_until timestamptz,
  primary key (repository_id, device)
);
create index adoption_late on lockstep.adoption (device) where late_until is not null;

-- Bare repositories that lie below the root of a device and are no replicas of it, as its last scan found them
-- (src/sync/adopt/scan-root.ts). Nobody touches them until an operator adopts them. repository_id and version come from
-- the note of a replica that this database does not know: it may be an older backup.
create table lockstep.unknown_directory (
  device text not null references lockstep.device on delete cascade,
  -- In the order of bytes, in which a scan reads the directories.
  path text collate "C" not null,
  repository text not null,
  repository_id uuid,
  version bigint,
  seen_at timestamptz not null default clock_timestamp(),
  primary key (device, path)
);
create index unknown_directory_by_repository on lockstep.unknown_directory (repository);

-- Rows outlive every retry: a client that was cut off asks here for the outcome of its write. trim_writes deletes old
-- ones.
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
  -- session: a caller makes the write in a scratch repository. caller: the role and name that its certificate, or the
  -- socket, proved; no other caller may renew or land it. token_hash: SHA-256 of the token that the caller must show
  -- too. The id is no secret: readers see it.
  session boolean not null default false,
  caller text,
  token_hash bytea,
  -- The ticket with which a push waited for the repository's turn; it has one ticket for all its attempts. null: the id
  -- of the write.
  ticket uuid,
  check ((status = 'landed') = (version is not null)),
  check ((status = 'staged') = (decided_at is null)),
  check (not session or (caller is not null and token_hash is not null))
);
create index write_staged on lockstep.write (device) where status = 'staged';
create index write_decided on lockstep.write (decided_at) where status <> 'staged';
-- For the deletion of a repository, which would read all writes otherwise.
create index write_by_repository on lockstep.write (repository_id);
create index write_staged_by_repository on lockstep.write (repository_id) where status = 'staged';

-- The queue for the turn: first come, first served. The lowest ticket that has not run out has the turn, and bumps of
-- other writes are refused. write_id identifies the ticket. For a session it is the id of its write; a push has an id
-- of its own that it keeps through all its attempts. caller: only of a session.
create table lockstep.turn (
  repository_id uuid not null references lockstep.repository on delete cascade,
  ticket bigint generated always as identity,
  write_id uuid not null unique,
  device text not null,
  author text not null,
  reason text not null,
  caller text,
  since timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (repository_id, ticket)
);

-- The queue of commands. A row asks one device to do something with its replica. The one live sidecar of that device
-- carries it out (functions/start_command.sql). The commands of one replica run one after the other.
create table lockstep.command (
  id uuid primary key,
  ordinal bigint generated always as identity,
  -- null: of a repository that this database does not know yet.
  repository_id uuid references lockstep.repository on delete cascade,
  repository text not null,
  -- The replica: one command at a time runs for each subject on each device.
  subject text not null generated always as (coalesce(repository_id::text, repository)) stored,
  device text not null references lockstep.device,
  command text not null check (command in (
    'provision', 'adopt', 'sync', 'verify', 'repair', 'gc', 'rename', 'release', 'destroy')),
  -- Each lane has its own slots. So a quick command waits neither for one that works on a whole repository nor for one
  -- that fails.
  lane text not null generated always as (
    case when command in ('verify', 'repair', 'gc') then 'heavy' when attempts > 0 then 'again' else 'first' end) stored,
  arguments jsonb not null default '{}',
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'superseded')),
  author text not null,
  reason text not null default '',
  -- How often it was started, when it may be started next, and the error of the last attempt.
  attempts integer not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  last_error text,
  -- How many attempts met an error that somebody has to mend. The others waited, or their sidecar ended.
  failures integer not null default 0,
  -- The fence of the sidecar that carries it out. No other sidecar may end it. attempt: the id of the call that started
  -- it; the same call again gets the same command.
  fence bigint,
  attempt uuid,
  -- What it did, and whether it changed the replica (enqueue_command.sql).
  outcome jsonb,
  changed boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  check ((state in ('queued', 'running')) = (ended_at is null)),
  check ((state = 'running') = (fence is not null))
);
create index command_next on lockstep.command (device, lane, due_at, ordinal) where state = 'queued';
create unique index command_running on lockstep.command (device, subject) where state = 'running';
-- Equal commands become one, unless one of them has been started: it may have read the old state.
create unique index command_waiting on lockstep.command (device, subject, command, md5(arguments::text))
  where state = 'queued' and attempts = 0;
create index command_open on lockstep.command (device) where state in ('queued', 'running');
create index command_by_repository on lockstep.command (repository_id);
create index command_by_subject on lockstep.command (subject, ordinal desc);
create index command_newest on lockstep.command (ordinal desc);
create index command_ended on lockstep.command (ended_at) where state in ('done', 'failed', 'superseded');

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
  -- The last words of the git that failed. null: no git did, or it said nothing.
  said text,
  at timestamptz not null default clock_timestamp()
);
create index sync_event_recent on lockstep.sync_event (repository_id, device, id desc);

-- The push log: each push and write session that a device has answered. A sidecar collects rows in its memory and
-- writes them about once a second, so the last ones are lost when it is killed. The ref log is the truth.
create table lockstep.push_event (
  id bigint generated always as identity primary key,
  -- When it was answered.
  at timestamptz not null,
  device text not null,
  -- null: the device knew no repository of that name. A row outlives its repository.
  repository_id uuid,
  repository text not null,
  subject text not null generated always as (coalesce(repository_id::text, repository)) stored,
  author text not null,
  -- Where the client is. null: on this machine, or its front end has not told.
  address text,
  -- session: a write session. frontend: a program that called BeforeRead, and was refused.
  way text not null check (way in ('http', 'ssh', 'direct', 'session', 'frontend')),
  request_id text,
  result text not null check (result in ('landed', 'unchanged', 'refused', 'unknown')),
  -- Only of what landed.
  version bigint,
  -- Why it was refused, or is unknown: the code of an error, and words.
  code text,
  reason text,
  -- The first refs, each as [name, old value, new value, reason of its refusal], and how many there were.
  refs jsonb not null default '[]',
  refs_total integer not null default 0,
  -- How many milliseconds it took, and for what it waited. host: git and the disk of the device. copies: those on other
  -- devices. writers: other writers of the repository. reads: a catch-up. hooks: those of the operator.
  duration_ms integer not null,
  host_ms integer not null default 0,
  database_ms integer not null default 0,
  copies_ms integer not null default 0,
  writers_ms integer not null default 0,
  reads_ms integer not null default 0,
  hooks_ms integer not null default 0
);
create index push_event_at on lockstep.push_event (at);
create index push_event_by_subject on lockstep.push_event (subject, at desc);

-- The pull log: who was let read, and who was not. It is written as the push log is. Above a rate it has a sample.
create table lockstep.pull_event (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  device text not null,
  repository_id uuid,
  repository text not null,
  subject text not null generated always as (coalesce(repository_id::text, repository)) stored,
  author text not null,
  address text,
  -- frontend: a program that called BeforeRead.
  way text not null check (way in ('http', 'ssh', 'frontend')),
  -- refs: for ls-remote, or at the beginning of a fetch. push: refs, at the beginning of a push. read: not known which.
  what text not null check (what in ('clone', 'fetch', 'refs', 'push', 'read')),
  request_id text,
  -- caught_up: it waited for a catch-up.
  result text not null check (result in ('current', 'caught_up', 'stale', 'refused')),
  version bigint,
  code text,
  reason text,
  -- Milliseconds until it was let read, and until it was answered.
  wait_ms integer not null,
  duration_ms integer not null,
  -- For how many reads the row stands.
  stands_for integer not null default 1
);
create index pull_event_at on lockstep.pull_event (at);
create index pull_event_by_subject on lockstep.pull_event (subject, at desc);

-- A stop of writes: they are refused with this reason. repository_id null: to every repository. Until `includes_staged`
-- is set, writes that were staged before may still land. The sidecar that stops writes waits for those. Then it sets
-- `includes_staged` and waits for the writes that were being staged meanwhile.
create table lockstep.write_stop (
  id bigint generated always as identity primary key,
  repository_id uuid references lockstep.repository on delete cascade,
  reason text not null,
  author text not null,
  includes_staged boolean not null default false,
  since timestamptz not null default clock_timestamp()
);
create unique index write_stop_one_each on lockstep.write_stop (coalesce(repository_id, '00000000-0000-0000-0000-000000000000'));

-- The registry of keys. Every sidecar keeps a copy of it (src/sync/registry/registry.ts). The row is locked before
-- anything in the registry changes, and its generation grows with each change.
create table lockstep.registry (
  only_row boolean primary key default true check (only_row),
  generation bigint not null default 0
);
insert into lockstep.registry default values;

-- A name that has been in the registry. A name that is here must show a trusted key, also where --trust-ca is set.
create table lockstep.principal (
  role text not null check (role in ('device', 'frontend', 'operator')),
  name text not null,
  -- What a front end may use: names of repositories, in which * stands for any characters and ? for one. null: all.
  repositories text[] check (cardinality(repositories) > 0),
  read_only boolean not null default false,
  primary key (role, name)
);

-- The keys of a name. Keys are pinned, not certificates: a renewed certificate with the same key needs no act of an
-- operator. A name has at most two trusted keys of a kind, the second while the first one is being replaced.
create table lockstep.credential (
  role text not null,
  name text not null,
  -- x509: the fingerprint is `sha256:` and the SHA-256 of the public key (SubjectPublicKeyInfo, DER) in hex. ssh and
  -- ssh-host: it is what `ssh-keygen -l` prints.
  kind text not null check (kind in ('x509', 'ssh', 'ssh-host')),
  fingerprint text not null,
  -- PEM, or a line as in id_ed25519.pub. null: only the fingerprint is known.
  public_key text,
  state text not null default 'trusted' check (state in ('trusted', 'revoked')),
  enrolled_by text not null,
  enrolled_at timestamptz not null default clock_timestamp(),
  revoked_by text,
  revoked_at timestamptz,
  reason text,
  seen_at timestamptz,
  primary key (role, name, kind, fingerprint),
  foreign key (role, name) references lockstep.principal,
  check ((state = 'revoked') = (revoked_at is not null))
);
-- git's server finds the name by the key.
create unique index credential_ssh on lockstep.credential (fingerprint) where kind = 'ssh' and state = 'trusted';

-- Keys that were shown and are not trusted, for an operator to say yes to.
create table lockstep.waiting_key (
  role text not null,
  name text not null,
  kind text not null,
  fingerprint text not null,
  public_key text,
  -- The device that refused it; the device itself, if it waits at its start.
  seen_by text not null,
  -- The address from which it came.
  source text not null default '',
  since timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  primary key (role, name, kind, fingerprint)
);

-- The logins to PostgreSQL that act for one device only (functions/act_as.sql). The owner of the schema makes them. The
-- device may be one that has never run.
create table lockstep.device_login (
  login text primary key,
  device text not null,
  author text not null,
  made_at timestamptz not null default clock_timestamp()
);

-- A token lets the bearer enrol one key for a name, once.
create table lockstep.enroll_token (
  token_hash bytea primary key,
  role text not null,
  name text not null,
  author text not null,
  ends_at timestamptz not null
);

-- Acts of operators, and refused credentials. A device that stops a repository is recorded here too. The table only
-- grows (keep_audit.sql). `id`, `at` and `hash` come from chain_audit.sql: each row has a hash over itself and over the
-- hash of the row before.
create table lockstep.audit (
  id bigint primary key,
  at timestamptz not null,
  author text not null,
  action text not null,
  repository text,
  device text,
  -- The code of the error with which it was refused.
  result text not null default 'done',
  detail jsonb not null default '{}',
  hash bytea not null
);
-- The end of the chain, and its beginning: the last row that was cut off.
create table lockstep.audit_chain (
  only_row boolean primary key default true check (only_row),
  id bigint not null default 0,
  hash bytea not null default decode(repeat('00', 32), 'hex'),
  base_id bigint not null default 0,
  base_hash bytea not null default decode(repeat('00', 32), 'hex')
);
insert into lockstep.audit_chain default values;
create index audit_by_repository on lockstep.audit (repository, id desc);

-- A receiver of events. One incarnation of a device delivers its events: device and fence name it, and the hook is free
-- once that incarnation's lease has ended. `cursor` is behind the last event that the receiver has accepted. Each event
-- is sent until then. The secret signs the events, so it is kept as it is.
create table lockstep.hook (
  id uuid primary key,
  url text not null unique,
  -- Names of repositories, in which * stands for any characters and ? for one. Empty: all.
  repositories text[] not null,
  visible text not null check (visible in ('landed', 'everywhere')),
  secret text not null,
  author text not null,
  created_at timestamptz not null default clock_timestamp(),
  device text,
  fence bigint,
  cursor text not null,
  delivered bigint not null default 0,
  delivered_at timestamptz,
  -- Of the event that is being delivered.
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  last_error text,
  -- When events were found to be gone from the log before they were delivered. null: never.
  missed_at timestamptz
);
