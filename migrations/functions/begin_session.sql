-- Begins the session of a write that has the turn: makes its row, with the head as base. It locks the repository, so
-- every bump that did not see the turn has ended when this reads the head. If the same caller repeats the call, the
-- answer is the same, with `again`. 'elsewhere': this device takes no writes. 'used': the id is that of a write that is
-- over, or of another caller, kind or device.
create function lockstep.begin_session(
  p_write uuid, p_token_hash bytea, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text, p_caller text,
  out outcome text, out base bigint, out again boolean, out detail text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known lockstep.write%rowtype;
  takes_writes boolean;
begin
  perform lockstep.act_as(p_device);
  select d.writes and d.draining_since is null and d.revoked_at is null into takes_writes
    from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then outcome := 'fenced'; return; end if;
  select r.head_version into base from lockstep.repository r
    where r.id = p_repository and r.removed_at is null for no key update;
  if not found then outcome := 'missing'; return; end if;
  select * into known from lockstep.write w where w.id = p_write;
  again := found;
  if again and (known.status <> 'staged' or not known.session or known.repository_id <> p_repository or known.device <> p_device
      or known.caller <> p_caller or known.token_hash <> p_token_hash) then
    outcome := 'used'; return;
  end if;
  if lockstep.turn_holder(p_repository) is distinct from p_write then outcome := 'turn'; return; end if;
  if again then outcome := 'begun'; base := known.base_version; return; end if;
  if not takes_writes then outcome := 'elsewhere'; return; end if;
  detail := lockstep.stop_reason(p_repository, false);
  if detail is not null then outcome := 'stopped'; return; end if;
  insert into lockstep.write (id, repository_id, device, fence, author, reason, base_version, session, caller, token_hash)
    values (p_write, p_repository, p_device, p_fence, p_author, p_reason, base, true, p_caller, p_token_hash);
  outcome := 'begun';
end $$;
