-- Makes sure that these devices have a replica of these repositories: a new pending row, or the row of a copy that was
-- given up. Its files may still lie aside. Returns how many rows are pending now that were not.
create function lockstep.want_replicas(p_repositories uuid[], p_devices text[]) returns integer
language sql as $$
  with wanted as (
    insert into lockstep.replica as p (repository_id, device, pushed_at)
    select r.id, d.device,
      coalesce((select l.landed_at from lockstep.ref_log l where l.repository_id = r.id order by l.version desc limit 1), r.created_at)
    from lockstep.repository r, unnest(p_devices) d (device) where r.id = any(p_repositories) order by r.id, d.device
    on conflict (repository_id, device) do update
      set state = 'pending', version = 0, kept = p.version, pushed_at = excluded.pushed_at, released_at = null,
        last_error = null, attempts = 0, next_attempt_at = null, updated_at = clock_timestamp()
      where p.state in ('released', 'destroyed')
    returning 1)
  select count(*)::integer from wanted
$$;
