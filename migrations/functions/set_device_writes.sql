-- Lets a device take writes, or only serve reads.
create function lockstep.set_device_writes(p_device text, p_writes boolean, p_author text, out outcome text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.device%rowtype;
begin
  perform lockstep.act_as(p_device);
  select * into held from lockstep.device d where d.name = p_device for no key update;
  if not found then outcome := 'missing'; return; end if;
  if held.removed_at is not null then outcome := 'removed'; return; end if;
  outcome := 'set';
  if held.writes = p_writes then return; end if;
  update lockstep.device d set writes = p_writes where d.name = p_device;
  insert into lockstep.audit (author, action, device)
    values (p_author, case when p_writes then 'allow writes' else 'stop writes' end, p_device);
end $$;
