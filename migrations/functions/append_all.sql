-- Appends versions to the log, from p_first on, and keeps the fold at the head. p_places: for each ref its version's
-- place among them, from 1. No ref is there twice. The caller holds the row of the repository and has enable_seqscan
-- off.
create function lockstep.append_all(
  p_writes uuid[], p_repository uuid, p_first bigint, p_device text, p_fence bigint, p_authors text[], p_digests bytea[],
  p_places int[], p_names bytea[], p_old_values bytea[], p_new_values bytea[], p_holders text[]) returns void
language plpgsql as $$
begin
  insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest, holders)
    select p_repository, p_first + w.place - 1, w.id, p_device, p_fence, w.author, w.digest, p_holders
    from unnest(p_writes, p_authors, p_digests) with ordinality w (id, author, digest, place);
  insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
    select p_repository, p_first + u.place - 1, u.name, u.old_value, u.new_value
    from unnest(p_places, p_names, p_old_values, p_new_values) u (place, name, old_value, new_value);
  -- The subquery looks each name up through the index. `name = any(…)` does that only from PostgreSQL 17 on: older ones
  -- compare each ref of the repository with each name, where they take the repository for small. The row of the
  -- repository is locked, so a place (ctid) stays that of its ref.
  delete from lockstep.repository_ref r where r.ctid = any(array(
    select (select o.ctid from lockstep.repository_ref o where o.repository_id = p_repository and o.name = u.name)
    from unnest(p_names, p_new_values) u (name, new_value) where u.new_value is null));
  insert into lockstep.repository_ref (repository_id, name, value)
    select p_repository, u.name, u.new_value from unnest(p_names, p_new_values) u (name, new_value)
    where u.new_value is not null
    on conflict (repository_id, name) do update set value = excluded.value;
  update lockstep.repository r
    set head_version = p_first + cardinality(p_writes) - 1, head_digest = p_digests[cardinality(p_writes)]
    where r.id = p_repository;
end $$;
