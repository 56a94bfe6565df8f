-- Takes the hooks that no live incarnation of a device has, and returns all hooks of this incarnation. Returns none if
-- another incarnation has the device, or if the device's own lease has ended.
create function lockstep.claim_hooks(p_device text, p_fence bigint)
  returns table (id uuid, url text, repositories text[], visible text, secret text, cursor text, delivered bigint, attempts integer, wait_ms integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform lockstep.act_as(p_device);
  -- Most calls find nothing to take, and change nothing.
  if exists (select from lockstep.hook h where h.device is distinct from p_device or h.fence is distinct from p_fence) then
    -- for key share: a take-over of this device waits for the end.
    perform 1 from lockstep.device d
      where d.name = p_device and d.fence = p_fence and d.expires_at > clock_timestamp() for key share;
    if not found then return; end if;
    with free as (
      select h.id from lockstep.hook h where not exists (
        select from lockstep.device d where d.name = h.device and d.fence = h.fence and d.expires_at > clock_timestamp())
      order by h.id for update skip locked)
    update lockstep.hook h set device = p_device, fence = p_fence from free where h.id = free.id;
  end if;
  return query
    select h.id, h.url, h.repositories, h.visible, h.secret, h.cursor, h.delivered, h.attempts,
      greatest(0, least(coalesce(extract(epoch from h.next_attempt_at - clock_timestamp()) * 1000, 0), 2147483647))::integer
    from lockstep.hook h join lockstep.device d on d.name = h.device and d.fence = h.fence
    where h.device = p_device and h.fence = p_fence order by h.id;
end $$;
