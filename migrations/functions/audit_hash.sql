-- The hash of a row of the audit: over the hash of the row before it, and over everything that the row says.
create function lockstep.audit_hash(p_before bytea, p_row lockstep.audit) returns bytea
language sql stable as $$
  select sha256(p_before || convert_to(jsonb_build_array(p_row.id, (extract(epoch from p_row.at) * 1000000)::int8, p_row.author,
    p_row.action, p_row.repository, p_row.device, p_row.result, p_row.detail)::text, 'UTF8'))
$$;
