-- Returns why writes to a repository are refused, or null when they are allowed. p_closed: only closed locks count,
-- which let no write through any more.
create function lockstep.write_refused(p_repository uuid, p_closed boolean) returns text
language sql stable as $$
  select coalesce(
    (select r.stopped from lockstep.repository r where r.id = p_repository),
    (select l.reason from lockstep.write_lock l
     where (l.repository_id is null or l.repository_id = p_repository) and (l.closed or not p_closed) order by l.id limit 1))
$$;
