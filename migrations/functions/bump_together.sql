-- Decides several writes of one device in one statement, all or none. They get versions that follow each other. No two
-- of them name the same ref, or refs that exclude each other, and nobody has staged them. p_places: for each ref the
-- place of its write, from 1; the refs are in the order of the writes.
--
-- bump decides the first write, with all its checks. The others have the same device, repository and moment. So only
-- their rows and their refs are left to check. If one of them cannot land, 'not_together' takes back the others. After
-- every answer but 'landed' the device calls settle_write for each write.
create function lockstep.bump_together(
  p_writes uuid[], p_repository uuid, p_device text, p_fence bigint, p_base bigint, p_base_digest bytea, p_authors text[],
  p_differences bytea[], p_places int[], p_names bytea[], p_old_values bytea[], p_new_values bytea[],
  out outcome text, out versions bigint[])
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  writes constant int := cardinality(p_writes);
  -- The refs of the first write end here.
  ends constant int := (select count(*) from unnest(p_places) place where place = 1);
  first bigint;
  digests bytea[];
  made int;
begin
  perform lockstep.act_as(p_device);
  -- If the writes have landed already, every later call gets the same answer. The row locks make it wait for the
  -- standby too.
  perform 1 from lockstep.ref_log l where l.write_id = any(p_writes) for key share;
  if found then
    versions := array(select l.version from unnest(p_writes) with ordinality w (id, place)
      join lockstep.ref_log l on l.write_id = w.id order by w.place);
    outcome := case when cardinality(versions) = writes then 'landed' else 'not_together' end;
    return;
  end if;
  select b.outcome, b.version into outcome, first from lockstep.bump(
    p_writes[1], p_repository, p_device, p_fence, p_base, p_base_digest, p_differences[1],
    p_names[:ends], p_old_values[:ends], p_new_values[:ends], '{}', '{}', '{}', null, p_authors[1]) b;
  if outcome <> 'landed' then return; end if;

  -- Before the log: settle_write may make one of these rows at this moment, as dropped.
  insert into lockstep.write (id, repository_id, device, fence, author, base_version, status, version, decided_at)
    select w.id, p_repository, p_device, p_fence, w.author, p_base, 'landed', first + w.place, clock_timestamp()
    from unnest(p_writes[2:], p_authors[2:]) with ordinality w (id, author, place)
    on conflict (id) do nothing;
  get diagnostics made = row_count;
  if made < writes - 1
      or not lockstep.old_values_hold(p_repository, p_names[ends + 1:], p_old_values[ends + 1:])
      -- The disk of the device, on which git has compared the refs, may be older than the head.
      or first <> p_base + 1 and not lockstep.leaves_room(
        p_repository, p_names[ends + 1:], p_old_values[ends + 1:], p_new_values[ends + 1:]) then
    raise exception using errcode = 'LS001', message = 'not together';
  end if;
  digests := array(select r.head_digest from lockstep.repository r where r.id = p_repository);
  for place in 2..writes loop
    digests := digests || lockstep.add_digests(digests[place - 1], p_differences[place]);
  end loop;
  perform lockstep.append_all(p_writes[2:], p_repository, first + 1, p_device, p_fence, p_authors[2:], digests[2:],
    array(select place - 1 from unnest(p_places[ends + 1:]) with ordinality p (place, n) order by n),
    p_names[ends + 1:], p_old_values[ends + 1:], p_new_values[ends + 1:], '{}');
  versions := array(select generate_series(first, first + writes - 1));
exception when sqlstate 'LS001' then
  outcome := 'not_together';
  versions := null;
end $$;
