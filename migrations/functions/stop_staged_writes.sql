-- Lets these stops refuse staged writes too, when they want to land. Returns how many of the stops are there.
create function lockstep.stop_staged_writes(p_repositories uuid[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stopped integer;
begin
  update lockstep.write_stop l set includes_staged = true from unnest(p_repositories) target
    where l.repository_id is not distinct from target;
  get diagnostics stopped = row_count;
  return stopped;
end $$;
