-- Makes a ticket, or renews it, and says whether it has the turn: 'first' or 'waiting'. 'used': the id is that of a
-- write of another kind, caller or device. A ticket that ran out has lost its place: another write may have begun
-- meanwhile.
--
-- Tickets are made under the lock of the repository, so that they become visible in the order of their numbers.
-- Otherwise a lower ticket could appear after a higher one was told that it is first, and two would have the turn.
create function lockstep.take_turn(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text, p_ttl interval, p_caller text)
  returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known lockstep.turn%rowtype;
begin
  perform lockstep.act_as(p_device);
  if lockstep.is_of_device() then p_ttl := least(p_ttl, interval '1 minute'); end if;
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return 'waiting'; end if;
  perform 1 from lockstep.repository r where r.id = p_repository for no key update;
  if p_caller is not null and exists (select from lockstep.write w where w.id = p_write and
      not (w.session and w.status = 'staged' and w.device = p_device and w.caller = p_caller)) then return 'used'; end if;
  -- In the order of tickets, like every statement that locks several.
  with gone as (
    select t.ticket from lockstep.turn t
    where t.repository_id = p_repository and t.expires_at <= clock_timestamp() order by t.ticket for update)
  delete from lockstep.turn t using gone where t.repository_id = p_repository and t.ticket = gone.ticket;
  select * into known from lockstep.turn t where t.write_id = p_write;
  if found and (known.repository_id <> p_repository or known.device <> p_device or known.caller is distinct from p_caller) then
    return 'used';
  end if;
  insert into lockstep.turn (repository_id, write_id, device, author, reason, caller, expires_at)
    values (p_repository, p_write, p_device, p_author, p_reason, p_caller, clock_timestamp() + p_ttl)
    on conflict (write_id) do update set expires_at = excluded.expires_at;
  return case when lockstep.turn_holder(p_repository) = p_write then 'first' else 'waiting' end;
end $$;
