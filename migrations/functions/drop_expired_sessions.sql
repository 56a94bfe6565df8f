-- Drops the sessions of all devices whose lease has run out. Then deletes the tickets that have run out, those of
-- pushes too. Other statements delete such tickets only when somebody comes for that turn.
create function lockstep.drop_expired_sessions() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with expired as (
    select w.id from lockstep.write w
    where w.status = 'staged' and w.session
      and not exists (select from lockstep.turn t where t.write_id = w.id and t.expires_at > clock_timestamp())
    for update skip locked)
  update lockstep.write w set status = 'dropped', decided_at = clock_timestamp(),
    drop_reason = 'the lease of its session ran out: nobody renewed it'
  from expired where w.id = expired.id;
  with gone as (
    select t.repository_id, t.ticket from lockstep.turn t where t.expires_at <= clock_timestamp()
    order by t.repository_id, t.ticket for update skip locked)
  delete from lockstep.turn t using gone where t.repository_id = gone.repository_id and t.ticket = gone.ticket
$$;
