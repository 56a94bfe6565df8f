-- Returns the write_id of the ticket that has the turn of a repository, or null.
create function lockstep.turn_holder(p_repository uuid) returns uuid
language sql stable as $$
  select t.write_id from lockstep.turn t
  where t.repository_id = p_repository and t.expires_at > clock_timestamp() order by t.ticket limit 1
$$;
