-- Removes a device with its replicas, unless only it has something ('only_here'), or too few devices would be left for
-- some repositories ('too_few'). `names`: these repositories, at most 21. Its sidecar gets nothing done from then on.
create function lockstep.remove_device(p_device text, p_author text, out outcome text, out names text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.device%rowtype;
begin
  perform lockstep.act_as(p_device);
  perform pg_advisory_xact_lock(hashtext('lockstep.placement'));
  -- for update: waits for bumps that are under way on the device. Later ones are fenced off.
  select * into held from lockstep.device d where d.name = p_device for update;
  if not found then outcome := 'missing'; return; end if;
  outcome := 'removed';
  if held.removed_at is not null then return; end if;
  names := array(select n from lockstep.only_on(p_device) n order by n limit 21);
  if cardinality(names) > 0 then outcome := 'only_here'; return; end if;
  names := array(select n from lockstep.too_few_without(p_device) n order by n limit 21);
  if cardinality(names) > 0 then outcome := 'too_few'; return; end if;
  -- The lease is left as it is: until it ends, the sidecar may serve reads (old_leases_end).
  update lockstep.device d set removed_at = clock_timestamp(), draining_since = null, fence = nextval('lockstep.fence_seq'),
    incarnation = null where d.name = p_device;
  -- Every sidecar then refuses its keys, and cuts its connections.
  perform lockstep.change_registry();
  -- No other device is left only for a repository that was removed. If it is restored, then on all devices.
  perform 1 from lockstep.repository r where p_device = any(r.placement) order by r.id for no key update;
  update lockstep.repository r set placement = nullif(array_remove(r.placement, p_device), '{}') where p_device = any(r.placement);
  delete from lockstep.replica p where p.device = p_device;
  with undecided as (
    select w.id from lockstep.write w where w.device = p_device and w.status = 'staged' order by w.id for update)
  update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
    drop_reason = 'device ' || p_device || ' was removed before the write was decided'
    from undecided where w.id = undecided.id;
  with gone as (select t.repository_id, t.ticket from lockstep.turn t where t.device = p_device order by t.repository_id, t.ticket for update)
  delete from lockstep.turn t using gone where t.repository_id = gone.repository_id and t.ticket = gone.ticket;
  perform 1 from lockstep.command c where c.device = p_device and c.state in ('queued', 'running') order by c.id for update;
  update lockstep.command c set state = 'superseded', fence = null, ended_at = clock_timestamp(),
      last_error = 'The device was removed.'
    where c.device = p_device and c.state in ('queued', 'running');
  delete from lockstep.unknown_directory u where u.device = p_device;
  insert into lockstep.audit (author, action, device) values (p_author, 'remove device', p_device);
end $$;
