-- Takes or renews the ticket of a write, and says whether it has the turn. A ticket that ran out has lost its place: someone else may
-- have begun meanwhile.
create function lockstep.take_turn(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text, p_ttl interval) returns boolean
language plpgsql as $$
begin
  delete from lockstep.turn t where t.repository_id = p_repository and t.expires_at <= clock_timestamp();
  insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
    select p_repository, p_write, d.name, p_author, p_reason, clock_timestamp() + p_ttl
    from lockstep.device d where d.name = p_device and d.fence = p_fence
    on conflict (write_id) do update set expires_at = excluded.expires_at;
  return coalesce(lockstep.turn_holder(p_repository) = p_write, false);
end $$;
