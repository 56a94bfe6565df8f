-- The question before every read: the fence of the device, the timeline of this server (null: it is a standby), and for each repository that exists
-- [name, id, head version, object format, state of the device's replica, digest at the head in hex, why it is stopped, why writes are].
-- null: no such device.
--
-- A function, because its plan is kept by the connection that runs it: planning the statement takes longer than running it, and named
-- statements do not get through a pooler in transaction mode. One value, because each column of an answer costs both sides more
-- than its content. Numbers as text: JSON's are not exact. Of write locks there are seldom any.
create function lockstep.read_heads(p_device text, p_names text[]) returns json
language plpgsql stable as $$
begin
  return (
    select json_build_object(
      'fence', d.fence::text,
      'timeline', lockstep.current_timeline(),
      'heads', (
        select coalesce(json_agg(json_build_array(
          r.name, r.id, r.head_version::text, r.object_format, p.state, encode(r.head_digest, 'hex'), r.stopped,
          case when exists (select from lockstep.write_lock) then lockstep.write_refused(r.id, false) end)), '[]')
        from lockstep.repository r left join lockstep.replica p on p.repository_id = r.id and p.device = d.name
        where r.name = any(p_names)))
    from lockstep.device d where d.name = p_device);
end $$;
