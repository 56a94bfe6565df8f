-- Deletes rows of a repository's log up to its base, at most p_limit, and returns how many. It takes no lock of the
-- repository, so pushes go on beside it. Versions of operators stay: a device that returns after a long time must find
-- out from them which refs were given up.
create function lockstep.trim_log(p_repository uuid, p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  deleted integer;
begin
  -- The updates of a version are deleted with it.
  delete from lockstep.ref_log l
    where l.repository_id = p_repository and l.version = any(array(
      select o.version from lockstep.ref_log o
      where o.repository_id = p_repository and not o.settles
        and o.version <= (select r.log_base from lockstep.repository r where r.id = p_repository)
      order by o.version limit p_limit for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;
