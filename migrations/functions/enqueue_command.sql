-- Adds a command for a device and returns its row. If an equal command waits that nobody has started, that one is
-- returned, and it is due at once.
--
-- p_opposite: null for an operator, whose command goes into the audit. Otherwise a daemon asks, and p_opposite is the
-- command that this one would undo. A command that changed the replica rests for p_rest before a daemon may undo it. So
-- two daemons that disagree do not move a replica back and forth all the time.
create function lockstep.enqueue_command(
  p_id uuid, p_repository uuid, p_name text, p_device text, p_command text, p_arguments jsonb,
  p_author text, p_reason text, p_opposite text, p_rest interval)
returns lockstep.command
language plpgsql as $$
declare
  made lockstep.command;
  due timestamptz := clock_timestamp();
begin
  -- The answer to the same call was lost. Its command may have been started since.
  select c.* into made from lockstep.command c where c.id = p_id;
  if found then return made; end if;
  if p_opposite is not null then
    select greatest(due, max(c.ended_at) + p_rest) into due from lockstep.command c
      where c.repository_id = p_repository and c.device = p_device and c.command = p_opposite
        and c.state = 'done' and c.changed;
  end if;
  insert into lockstep.command as c (id, repository_id, repository, device, command, arguments, author, reason, due_at)
    values (p_id, p_repository, p_name, p_device, p_command, p_arguments, p_author, p_reason, due)
    on conflict (device, subject, command, md5(arguments::text)) where state = 'queued' and attempts = 0
      do update set due_at = least(c.due_at, excluded.due_at)
    returning c.* into made;
  if p_opposite is null then
    insert into lockstep.audit (author, action, repository, device, detail)
      values (p_author, 'command', p_name, p_device, jsonb_build_object('command', p_command, 'id', made.id, 'reason', p_reason));
  end if;
  return made;
end $$;
