-- Returns why writes to a repository are refused, or null when they are allowed. p_staged: the write is staged
-- already, so only stops that include staged writes count.
create function lockstep.stop_reason(p_repository uuid, p_staged boolean) returns text
language sql stable as $$
  select coalesce(
    (select r.stopped from lockstep.repository r where r.id = p_repository),
    (select l.reason from lockstep.write_stop l
     where (l.repository_id is null or l.repository_id = p_repository) and (l.includes_staged or not p_staged) order by l.id limit 1))
$$;
