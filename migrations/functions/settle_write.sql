-- Makes the outcome of a write final after any doubt: dropped, unless it has landed. It waits for a bump that is under
-- way, through the lock of its row. If the write has no row, this makes one, as dropped. Otherwise a stage_write that
-- was held up could still stage a write that nobody pursues. status null: the repository is gone, so the write cannot
-- be staged either.
create function lockstep.settle_write(
  p_write uuid, p_repository uuid, p_device text, p_fence bigint, p_author text, p_reason text,
  out status text, out version bigint, out drop_reason text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  -- A write of another device may be dropped when that device cannot land it any more.
  perform lockstep.act_as(w.device) from lockstep.write w
    where w.id = p_write and w.device <> p_device and w.status = 'staged'
      and exists (select from lockstep.device d where d.name = w.device and d.fence = w.fence and d.expires_at > clock_timestamp());
  insert into lockstep.write as w (id, repository_id, device, fence, author, base_version, status, drop_reason, decided_at)
    select p_write, r.id, p_device, p_fence, p_author, r.head_version, 'dropped', p_reason, clock_timestamp()
    from lockstep.repository r where r.id = p_repository
    on conflict (id) do update set status = 'dropped', drop_reason = excluded.drop_reason, decided_at = excluded.decided_at
      where w.status = 'staged';
  -- The standby may not have an outcome that an earlier statement made. The row lock makes this commit wait for it.
  select w.status, w.version, w.drop_reason into status, version, drop_reason
    from lockstep.write w where w.id = p_write for key share;
end $$;
