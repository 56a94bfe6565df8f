-- Compares what disks hold with the log. 'same': the log has that digest at that version. 'ahead' and 'diverged': this
-- database has lost writes. 'settled': an operator has given that version up. 'trimmed': the log had that version, with
-- some digest, and has been trimmed since. 'unknown': the log has never had that version.
create function lockstep.standing(p_repositories uuid[], p_versions bigint[], p_digests bytea[])
  returns table (repository_id uuid, head bigint, standing text)
language sql stable as $$
  select r.id, r.head_version,
    case when l.digest = d.digest then 'same'
      when exists (select from lockstep.ref_log s where s.repository_id = r.id and s.version > d.version and s.settles) then 'settled'
      when d.version > r.head_version then 'ahead'
      when l.digest is null and d.version > 0 and d.version <= r.log_base then 'trimmed'
      when l.digest is null then 'unknown'
      else 'diverged' end
  from unnest(p_repositories, p_versions, p_digests) d (repository_id, version, digest)
  join lockstep.repository r on r.id = d.repository_id
  left join lockstep.ref_log l on l.repository_id = r.id and l.version = d.version
$$;
