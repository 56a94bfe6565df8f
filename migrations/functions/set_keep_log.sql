-- Sets how much of its log a repository keeps; null: as the cluster does. The login of a device may make that longer
-- than the cluster's, not shorter. Returns whether the repository is there.
create function lockstep.set_keep_log(p_name text, p_versions bigint, p_days integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_id uuid;
begin
  update lockstep.repository r set keep_versions = p_versions, keep_days = p_days, trim_at = clock_timestamp()
    where r.name = p_name returning r.id into found_id;
  if not found then return false; end if;
  perform lockstep.act_in(found_id);
  if lockstep.is_of_device() and exists (
    select from lockstep.least_kept('log') k where p_versions < k.versions or coalesce(p_days, 0) < k.days and p_versions is not null) then
    perform lockstep.act_as(null);
  end if;
  return true;
end $$;
