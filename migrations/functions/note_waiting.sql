-- Notes a key that was shown and is not trusted. The newest two hundred are kept, and five of each name.
create function lockstep.note_waiting(
  p_role text, p_name text, p_kind text, p_fingerprint text, p_public_key text, p_by text, p_source text) returns void
language sql as $$
  delete from lockstep.waiting_key w using (
    select o.role, o.name, o.kind, o.fingerprint, row_number() over (order by o.seen_at desc) as place,
      row_number() over (partition by o.role, o.name order by o.seen_at desc) as own_place
    from lockstep.waiting_key o where (o.role, o.name, o.kind, o.fingerprint) <> (p_role, p_name, p_kind, p_fingerprint)) o
  where (w.role, w.name, w.kind, w.fingerprint) = (o.role, o.name, o.kind, o.fingerprint)
    and (o.place >= 200 or (o.role = p_role and o.name = p_name and o.own_place >= 5));
  insert into lockstep.waiting_key (role, name, kind, fingerprint, public_key, seen_by, source)
    values (p_role, p_name, p_kind, p_fingerprint, p_public_key, p_by, p_source)
    on conflict (role, name, kind, fingerprint)
      do update set seen_at = clock_timestamp(), seen_by = excluded.seen_by, source = excluded.source;
$$;
