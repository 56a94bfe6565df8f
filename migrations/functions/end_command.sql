-- Records the outcome of a command, once. p_state: done, failed or superseded; or queued, to start it again after
-- p_delay. p_failure: it met an error that somebody has to mend. Returns false if this incarnation does not carry the
-- command out: it was replaced, or the outcome is recorded already. A command that changes rows of
-- other tables calls this in the same transaction.
create function lockstep.end_command(
  p_id uuid, p_device text, p_fence bigint, p_state text, p_outcome jsonb, p_changed boolean, p_error text, p_delay interval,
  p_failure boolean)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return false; end if;
  update lockstep.command c set state = p_state, outcome = p_outcome, changed = c.changed or p_changed,
      last_error = p_error, failures = c.failures + p_failure::integer, due_at = clock_timestamp() + p_delay, fence = null,
      ended_at = case when p_state <> 'queued' then clock_timestamp() end
    where c.id = p_id and c.device = p_device and c.state = 'running' and c.fence = p_fence;
  return found;
end $$;
