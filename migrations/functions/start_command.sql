-- Hands the next due command to the sidecar of a device and returns its row. No row: none is due, or another
-- incarnation has the device. A replica for which a command runs is passed over. An earlier command that rests after an
-- error does not hold up later ones. The same p_attempt again returns the same command: the first answer may have been
-- lost.
create function lockstep.start_command(p_device text, p_fence bigint, p_lane text, p_attempt uuid)
returns setof lockstep.command rows 1
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  next uuid;
begin
  perform lockstep.act_as(p_device);
  -- Mostly there is nothing to do. Then nothing is written, so the commit waits for no standby.
  perform 1 from lockstep.command c
    where c.device = p_device and c.lane = p_lane and c.state = 'queued' and c.due_at <= clock_timestamp() limit 1;
  if not found then
    perform 1 from lockstep.command c where c.device = p_device and c.state = 'running' and c.attempt = p_attempt;
    if not found then return; end if;
  end if;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return; end if;
  return query select c.* from lockstep.command c
    where c.device = p_device and c.state = 'running' and c.fence = p_fence and c.attempt = p_attempt;
  if found then return; end if;
  select c.id into next from lockstep.command c
    where c.device = p_device and c.lane = p_lane and c.state = 'queued' and c.due_at <= clock_timestamp()
      and not exists (
        select from lockstep.command o where o.device = c.device and o.subject = c.subject and o.state = 'running')
    order by c.due_at, c.ordinal limit 1 for update skip locked;
  begin
    return query update lockstep.command c set state = 'running', attempts = c.attempts + 1, fence = p_fence, attempt = p_attempt,
        started_at = clock_timestamp()
      where c.id = next and c.state = 'queued' returning c.*;
  -- Another lane has started a command for the same replica meanwhile.
  exception when unique_violation then return;
  end;
end $$;
