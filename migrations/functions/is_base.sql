-- Returns whether the log has a version with that digest. A write that is based on it may land on a later head. null:
-- no version but the head will do.
create function lockstep.is_base(p_repository uuid, p_version bigint, p_digest bytea) returns boolean
language sql stable as $$
  select exists (
    select from lockstep.ref_log l where l.repository_id = p_repository and l.version = p_version and l.digest = p_digest)
$$;
