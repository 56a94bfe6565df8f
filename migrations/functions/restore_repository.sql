-- Puts a repository that was removed back into service under the name p_name, and asks its devices to take their files
-- back. `commands`: one for each of `devices`. 'taken': another repository has the name. 'expired': its time is over.
-- 'gone': no device keeps its newest version. A repeated call gets the same answer.
create function lockstep.restore_repository(
  p_id uuid, p_name text, p_author text, p_reason text,
  out outcome text, out devices text[], out commands uuid[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.repository%rowtype;
  back text[];
  asked uuid[];
begin
  perform lockstep.act_in(p_id);
  -- As in create_repository: a device that registers meanwhile is seen here, or sees this repository.
  perform pg_advisory_xact_lock_shared(hashtext('lockstep.placement'));
  perform 1 from lockstep.device d order by d.name for key share;
  select * into held from lockstep.repository r where r.id = p_id for no key update;
  if not found or (held.removed_at is null and held.name <> p_name) then outcome := 'missing'; return; end if;
  outcome := 'restored';
  if held.removed_at is not null then
    -- Read while the row is locked: a device destroys its copy only later than this, and asks under the same lock.
    if held.keep_until <= clock_timestamp() then outcome := 'expired'; return; end if;
    -- A version that landed may lack its record on the device that wrote it.
    if held.head_version > 0 and not exists (
      select from lockstep.replica p left join lockstep.ref_log l on l.repository_id = p_id and l.version = held.head_version
      where p.repository_id = p_id and p.state <> 'destroyed'
        and (greatest(p.version, p.kept) >= held.head_version or p.device = l.device or p.device = any(l.holders))) then outcome := 'gone'; return; end if;
    begin
      update lockstep.repository r set name = p_name, removed_name = null, removed_at = null, keep_until = null,
        trim_at = clock_timestamp() + interval '1 day' where r.id = p_id;
    exception when unique_violation then outcome := 'taken'; return;
    end;
    delete from lockstep.former_name f where f.name = p_name;
    perform 1 from lockstep.replica p where p.repository_id = p_id order by p.device for no key update;
    -- Also a device that drains takes back what it had: nobody else may have it.
    back := array(
      select p.device from lockstep.replica p
        where p.repository_id = p_id and p.state = 'released' and p.released_at >= held.removed_at
      union select unnest(lockstep.holding_devices(held.placement)));
    perform lockstep.want_replicas(array[p_id], back);
    perform 1 from lockstep.command c where c.subject = p_id::text and c.state = 'queued' and (
        c.command = 'destroy' and c.device = any(back) or c.arguments ? 'removed') order by c.id for update;
    update lockstep.command c set state = 'superseded', ended_at = clock_timestamp(), last_error = 'The repository was restored.'
      where c.subject = p_id::text and c.state = 'queued' and (
        c.command = 'destroy' and c.device = any(back) or c.arguments ? 'removed');
    asked := array(
      select c.id from lockstep.replica p, lockstep.enqueue_command(gen_random_uuid(), p_id, p_name, p.device,
        case when p.state = 'pending' then 'provision' else 'rename' end, '{}', p_author, p_reason, '', '0') c
      where p.repository_id = p_id and p.state in ('pending', 'active', 'broken'));
    -- A placement that an operator had changed before the removal still holds.
    perform lockstep.enqueue_command(gen_random_uuid(), p_id, p_name, p.device, 'release', '{"keep_days": 14}', p_author, p_reason, '', '0')
      from lockstep.replica p
      where p.repository_id = p_id and p.state in ('pending', 'active', 'broken') and p.device <> all(held.placement);
    insert into lockstep.audit (author, action, repository, detail)
      values (p_author, 'restore', p_name, jsonb_build_object(
        'id', p_id, 'version', held.head_version::text, 'removed_name', held.removed_name, 'reason', p_reason));
  else
    asked := array(select distinct on (c.device) c.id from lockstep.command c
      where c.subject = p_id::text and c.command in ('provision', 'rename') order by c.device, c.ordinal desc);
  end if;
  commands := asked;
  devices := array(select c.device from lockstep.command c where c.id = any(asked) order by c.device);
end $$;
