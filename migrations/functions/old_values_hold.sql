-- Returns true when every old value is the one in the fold. The caller holds the row of the repository. It has
-- enable_seqscan off, so that each ref is looked up through the index.
create function lockstep.old_values_hold(p_repository uuid, p_names bytea[], p_old_values bytea[]) returns boolean
language plpgsql stable as $$
begin
  return cardinality(p_names) = (
    select count(*) from unnest(p_names, p_old_values) u (name, old_value)
    where u.old_value is not distinct from
      (select r.value from lockstep.repository_ref r where r.repository_id = p_repository and r.name = u.name));
end $$;
