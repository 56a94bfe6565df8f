-- After any doubt: makes the row final, then obeys it. Waits for a bump that is under way (its row lock). A write that has no row
-- gets one, as dropped: its stage_write may be held up somewhere, and would otherwise stage it when nobody pursues it any more.
-- status null: its repository is gone, and it cannot be staged either.
create function lockstep.settle_write(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text,
  out status text, out version bigint, out drop_reason text)
language plpgsql as $$
begin
  perform lockstep.wait_for_standby();
  insert into lockstep.write as w (id, repository_id, device, fence, author, base_version, status, drop_reason, decided_at)
    select p_write, r.id, p_device, p_fence, p_author, r.head_version, 'dropped', p_reason, clock_timestamp()
    from lockstep.repository r where r.id = p_repository
    on conflict (id) do update set status = 'dropped', drop_reason = excluded.drop_reason, decided_at = excluded.decided_at
      where w.status = 'staged';
  -- The lock: an outcome that was found and not made here is one that the standby may not have yet.
  select w.status, w.version, w.drop_reason into status, version, drop_reason
    from lockstep.write w where w.id = p_write for key share;
end $$;
