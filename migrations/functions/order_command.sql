-- Adds a command for a device (enqueue_command). The login of a device may ask another device for what an operator asks
-- for, but not to free its disk. A daemon asks for its own device only.
create function lockstep.order_command(
  p_id uuid, p_repository uuid, p_name text, p_device text, p_command text, p_arguments jsonb,
  p_author text, p_reason text, p_opposite text, p_rest interval)
returns lockstep.command
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if p_opposite is not null or p_command in ('release', 'destroy') then perform lockstep.act_as(p_device); end if;
  return lockstep.enqueue_command(p_id, p_repository, p_name, p_device, p_command, p_arguments, p_author, p_reason, p_opposite, p_rest);
end $$;
