-- Sessions whose lease ran out are dropped, on whichever device they were.
create function lockstep.drop_expired_sessions() returns void
language sql as $$
  with expired as (
    select w.id from lockstep.write w
    where w.status = 'staged' and w.session
      and not exists (select from lockstep.turn t where t.write_id = w.id and t.expires_at > clock_timestamp())
    for update skip locked)
  update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
    drop_reason = 'the lease of its session ran out: nobody renewed it'
  from expired where w.id = expired.id
$$;
