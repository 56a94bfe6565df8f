-- Marks a released copy as destroyed, so that its device may free the disk. p_released: when it was released, as in the
-- command. Returns false if it was placed on the device again meanwhile, or released again later.
create function lockstep.destroy_replica(p_repository uuid, p_device text, p_fence bigint, p_released text) returns boolean
language plpgsql as $$
begin
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return false; end if;
  update lockstep.replica p set state = 'destroyed', version = 0, updated_at = clock_timestamp()
    where p.repository_id = p_repository and p.device = p_device and p.state in ('released', 'destroyed')
      and extract(epoch from p.released_at)::text = p_released;
  return found;
end $$;
