-- Takes a repository out of service, and asks each of its devices to move its files aside. `commands`: one for each of
-- `devices`. It can be restored for p_keep. 'missing': it has another name by now. A repeated call gets the same
-- answer.
--
-- The row of the repository is locked as in bump. So a write lands before, and a restore brings it back, or not at all.
create function lockstep.remove_repository(
  p_id uuid, p_name text, p_author text, p_reason text, p_keep interval,
  out outcome text, out devices text[], out commands uuid[], out keep_until timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.repository%rowtype;
  holding text[];
  removal jsonb;
begin
  perform lockstep.act_in(p_id);
  if lockstep.is_of_device() then p_keep := greatest(p_keep, interval '14 days'); end if;
  -- Commands refer to devices, whose rows come first in the lock order.
  perform 1 from lockstep.device d order by d.name for key share;
  select * into held from lockstep.repository r where r.id = p_id for no key update;
  if not found or coalesce(held.removed_name, held.name) <> p_name then outcome := 'missing'; return; end if;
  outcome := 'removed';
  if held.removed_at is null then
    update lockstep.repository r set name = '.removed/' || p_id, removed_name = p_name, removed_at = clock_timestamp(),
        keep_until = clock_timestamp() + p_keep, trim_at = 'infinity'
      where r.id = p_id returning * into held;
    removal := jsonb_build_object('removed', extract(epoch from held.removed_at)::text);
    perform 1 from lockstep.replica p where p.repository_id = p_id order by p.device for no key update;
    -- A device that is away finds its directory by the name that it had.
    update lockstep.replica p set places = array_remove(p.places, p_name) || p_name
      where p.repository_id = p_id and p.state in ('pending', 'active', 'broken');
    -- A device that gave its copy up before may not have been able to move it aside. It needs another command: the
    -- one of that release is superseded below.
    holding := array(select p.device from lockstep.replica p
      where p.repository_id = p_id and (p.state in ('pending', 'active', 'broken') or p.state = 'released' and p.places <> '{}')
      order by p.device);
    with undecided as (
      select w.id from lockstep.write w where w.repository_id = p_id and w.status = 'staged' order by w.id for update)
    update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(), drop_reason = 'the repository was removed'
      from undecided where w.id = undecided.id;
    with gone as (select t.ticket from lockstep.turn t where t.repository_id = p_id order by t.ticket for update)
    delete from lockstep.turn t using gone where t.repository_id = p_id and t.ticket = gone.ticket;
    perform 1 from lockstep.command c
      where c.subject = p_id::text and c.state = 'queued' and c.command <> 'destroy' order by c.id for update;
    update lockstep.command c set state = 'superseded', ended_at = clock_timestamp(), last_error = 'The repository was removed.'
      where c.subject = p_id::text and c.state = 'queued' and c.command <> 'destroy';
    perform lockstep.enqueue_command(gen_random_uuid(), p_id, p_name, device, 'release', removal, p_author, p_reason, '', '0')
      from unnest(holding) device;
    insert into lockstep.audit (author, action, repository, detail)
      values (p_author, 'remove', p_name, jsonb_build_object(
        'id', p_id, 'version', held.head_version::text, 'keep_until', held.keep_until, 'reason', p_reason));
  end if;
  keep_until := held.keep_until;
  removal := jsonb_build_object('removed', extract(epoch from held.removed_at)::text);
  select coalesce(array_agg(c.id order by c.device), '{}'), coalesce(array_agg(c.device order by c.device), '{}')
    into commands, devices from lockstep.command c
    where c.subject = p_id::text and c.command = 'release' and c.arguments = removal;
end $$;
