-- Appends one version to the log (append_all.sql).
create function lockstep.append(
  p_write uuid, p_repository uuid, p_version bigint, p_device text, p_fence bigint, p_author text, p_digest bytea,
  p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_holders text[]) returns void
language plpgsql as $$
begin
  perform lockstep.append_all(array[p_write], p_repository, p_version, p_device, p_fence, array[p_author], array[p_digest],
    array_fill(1, array[coalesce(cardinality(p_names), 0)]), p_names, p_old_values, p_new_values, p_holders);
end $$;
