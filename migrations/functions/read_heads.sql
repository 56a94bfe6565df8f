-- Answers the question before every read. null: no such device.
-- - fence: that of the device.
-- - timeline: that of this server; null: it is a standby.
-- - no_writes: why this device takes no writes, 'revoked', 'drains' or 'no_writes'; null: it takes writes.
-- - heads: an entry for each repository that exists. [name, id, head version, object format, state of the device's
--   replica, head digest in hex, reason of a stop, reason why writes are refused].
--
-- It is a function because the connection that runs it keeps its plan. To plan the statement takes longer than to run
-- it, and named statements do not work through a pooler in transaction mode. The answer is one value, because each
-- column costs both sides more than its content. Numbers are text, because JSON's numbers are not exact. Stops
-- of writes are rare, so one cheap look comes first.
create function lockstep.read_heads(p_device text, p_names text[]) returns json
language plpgsql stable as $$
begin
  return (
    select json_build_object(
      'fence', d.fence::text,
      'timeline', lockstep.current_timeline(),
      'no_writes', case when d.revoked_at is not null then 'revoked' when d.draining_since is not null then 'drains' when not d.writes then 'no_writes' end,
      'heads', (
        select coalesce(json_agg(json_build_array(
          r.name, r.id, r.head_version::text, r.object_format, p.state, encode(r.head_digest, 'hex'), r.stopped,
          case when exists (select from lockstep.write_stop) then lockstep.stop_reason(r.id, false) end)), '[]')
        from lockstep.repository r left join lockstep.replica p on p.repository_id = r.id and p.device = d.name
        where r.name = any(p_names) and r.removed_at is null))
    from lockstep.device d where d.name = p_device);
end $$;
