-- Renames a repository and asks each of its devices to move its replica. `commands`: one for each of `devices`. The old
-- name stays a former name for p_keep. 'session': a session is open; its scratch repository refers to the path of the
-- replica. 'taken': another repository has the new name. A repeated call gets the same answer.
create function lockstep.rename_repository(
  p_name text, p_new text, p_author text, p_reason text, p_keep interval,
  out outcome text, out id uuid, out devices text[], out commands uuid[], out holder text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Commands refer to devices, and devices are locked before repositories.
  perform 1 from lockstep.device d order by d.name for key share;
  select r.id into id from lockstep.repository r where r.name = p_name for no key update;
  if not found then
    select r.id into id from lockstep.former_name f join lockstep.repository r on r.id = f.repository_id
      where f.name = p_name and r.name = p_new for no key update of r;
    if not found then outcome := 'missing'; return; end if;
    outcome := 'renamed';
    commands := array(select distinct on (c.device) c.id from lockstep.command c
      where c.subject = rename_repository.id::text and c.command = 'rename' order by c.device, c.ordinal desc);
    devices := array(select c.device from lockstep.command c where c.id = any(commands));
    return;
  end if;
  perform lockstep.act_in(id);
  -- begin_session takes the same lock, so a session that begins later sees the new name.
  select w.author || ' on ' || w.device || coalesce(': ' || nullif(w.reason, ''), '') into holder from lockstep.write w
    where w.repository_id = rename_repository.id and w.status = 'staged' and w.session limit 1;
  if found then outcome := 'session'; return; end if;
  if exists (select from lockstep.repository r where r.name = p_new) then outcome := 'taken'; return; end if;
  begin
    update lockstep.repository r set name = p_new where r.id = rename_repository.id;
  exception when unique_violation then outcome := 'taken'; return;
  end;
  delete from lockstep.former_name f where f.name = p_new or f.until <= clock_timestamp();
  insert into lockstep.former_name (name, repository_id, until) values (p_name, rename_repository.id, clock_timestamp() + p_keep)
    on conflict (name) do update set repository_id = excluded.repository_id, until = excluded.until;
  -- A device that is away moves its replica when it is back, from wherever it lies by then.
  perform 1 from lockstep.replica p where p.repository_id = rename_repository.id order by p.device for no key update;
  update lockstep.replica p set places = array_remove(p.places, p_name) || p_name where p.repository_id = rename_repository.id
    and p.state in ('pending', 'active', 'broken');
  devices := array(select p.device from lockstep.replica p
    where p.repository_id = rename_repository.id and p.state in ('pending', 'active', 'broken') order by p.device);
  commands := array(
    select c.id from unnest(devices) device, lockstep.enqueue_command(
      gen_random_uuid(), rename_repository.id, p_new, device, 'rename', '{}', p_author, p_reason, '', '0') c);
  insert into lockstep.audit (author, action, repository, detail)
    values (p_author, 'rename', p_new, jsonb_build_object('from', p_name, 'reason', p_reason));
  outcome := 'renamed';
end $$;
