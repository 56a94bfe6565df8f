-- Finds replicas of a device that need work, and enqueues a command for each. The sidecar calls this every few seconds,
-- so its cost follows the number of replicas that it finds, and not the number of replicas.
-- - missing: pending replicas that are due, those first whose repositories were pushed to last.
-- - broken: broken replicas that are due.
-- - behind: replicas whose repositories were pushed to between two positions of the log of the whole cluster.
-- - one page of all replicas, in the order of repository ids. It finds what the others missed, such as a push whose
--   commit took longer than the distance of the two positions.
-- p_everything: all replicas that are behind, instead of the last two. A sidecar calls this at its start and whenever
-- the connection to the database was cut.
--
-- A replica with an open command that brings it up is left out. p_room: so many commands may be open. room_left: false
-- if more may be found at once.
create function lockstep.enqueue_repairs(
  p_device text, p_fence bigint, p_everything boolean, p_after bigint, p_upto bigint,
  p_page_after uuid, p_page integer, p_room integer, p_rest interval,
  out enqueued integer, out room_left boolean, out newest bigint, out page_last uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  room integer;
  missing uuid[];
  broken uuid[];
  behind uuid[];
  page uuid[];
  item record;
begin
  perform lockstep.act_as(p_device);
  enqueued := 0;
  -- The row is locked only when there is something to enqueue. A pass that finds nothing writes nothing, so its commit
  -- waits for no standby.
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence;
  if not found then return; end if;
  select l.position into newest from lockstep.ref_log l order by l.position desc limit 1;
  room := p_room - (
    select count(*) from lockstep.command c
    -- Copies that are given up wait, some for days, and must not keep others from being made.
    where c.device = p_device and c.state in ('queued', 'running') and c.command not in ('release', 'destroy'));
  -- To look for everything is costly, so it is done for many commands at once.
  room_left := room > case when p_everything then p_room / 2 else 0 end;
  if not room_left then
    page_last := p_page_after;
    return;
  end if;

  select array_agg(n.repository_id order by n.place) into missing from (
    select p.repository_id, row_number() over () as place from (
      select p.repository_id from lockstep.replica p
      where p.device = p_device and p.state = 'pending'
        and (p.next_attempt_at is null or p.next_attempt_at <= clock_timestamp())
        and (select count(*) from lockstep.command c
          where c.device = p_device and c.subject = p.repository_id::text and c.state in ('queued', 'running')
            and c.command in ('provision', 'sync', 'repair', 'release')) = 0
      order by p.pushed_at desc nulls first limit room) p) n;
  select array_agg(p.repository_id) into broken from (
    select p.repository_id from lockstep.replica p
    where p.device = p_device and p.state = 'broken'
      and (p.next_attempt_at is null or p.next_attempt_at <= clock_timestamp())
      and (select count(*) from lockstep.command c
        where c.device = p_device and c.subject = p.repository_id::text and c.state in ('queued', 'running')
          and c.command in ('provision', 'sync', 'repair', 'release')) = 0 limit room) p;
  if p_everything then
    select array_agg(n.repository_id order by n.pushed desc nulls last) into behind from (
      select p.repository_id, (
          select l.landed_at from lockstep.ref_log l
          where l.repository_id = r.id and l.version = r.head_version) as pushed
      from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
      where p.device = p_device and p.state = 'active' and p.version < r.head_version
        and (p.next_attempt_at is null or p.next_attempt_at <= clock_timestamp())
      order by pushed desc nulls last limit room) n;
  else
    -- `offset 0` keeps PostgreSQL from a join, for which it may read all repositories.
    select array_agg(distinct l.repository_id) into behind from lockstep.ref_log l
      where l.position > p_after and l.position <= p_upto;
    select array_agg(n.repository_id), max(n.repository_id::text)::uuid into page, page_last from (
      select p.repository_id from lockstep.replica p
      where p.device = p_device and p.repository_id > p_page_after order by p.repository_id limit p_page) n;
    if cardinality(page) < p_page then page_last := null; end if;
    -- The state is looked at outside: otherwise PostgreSQL may take an index of active replicas and read all of them.
    select array_agg(p.repository_id) into behind from unnest(behind || page) wanted (id)
      cross join lateral (
        select q.repository_id, q.state, q.version, q.next_attempt_at from lockstep.replica q
        where q.repository_id = wanted.id and q.device = p_device offset 0) p
      cross join lateral (
        select r.head_version from lockstep.repository r where r.id = p.repository_id offset 0) r
      where p.state = 'active' and p.version < r.head_version
        and (p.next_attempt_at is null or p.next_attempt_at <= clock_timestamp());
  end if;

  if missing is null and broken is null and behind is null then return; end if;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then
    room_left := null;
    return;
  end if;
  for item in
    select w.id, min(w.urgency) as urgency, (array_agg(w.command order by w.urgency))[1] as command,
      (array_agg(w.reason order by w.urgency))[1] as reason, min(w.place) as place
    from (
      select id, 'provision' as command, 'it is missing' as reason, 1 as urgency, place
        from unnest(missing) with ordinality as m (id, place)
      union all select id, 'sync', 'it is broken', 3, place from unnest(broken) with ordinality as b (id, place)
      union all select id, 'sync', 'it is behind', 2, place from unnest(behind) with ordinality as b (id, place)) w
    where (select count(*) from lockstep.command c
      where c.device = p_device and c.subject = w.id::text and c.state in ('queued', 'running')
        and c.command in ('provision', 'sync', 'repair', 'release')) = 0
    group by w.id order by urgency, place
  loop
    exit when enqueued >= room;
    perform lockstep.enqueue_command(gen_random_uuid(), item.id, r.name, p_device, item.command, '{}',
      'repair loop', item.reason, case item.command when 'provision' then 'release' else '' end, p_rest)
      from lockstep.repository r where r.id = item.id and r.removed_at is null;
    enqueued := enqueued + 1;
  end loop;
  room_left := enqueued < room;
end $$;
