-- Marks a released copy as destroyed, so that its device may free the disk. p_released: when it was released, as in the
-- command. 'kept': it was placed on the device again meanwhile, or released again later. 'early': the repository was
-- removed and can still be restored; another command does it later.
--
-- The row of the repository is locked as in restore_repository. So either the copy is destroyed, and then the time to
-- restore the repository is over, or it was restored before.
create function lockstep.destroy_replica(p_repository uuid, p_device text, p_fence bigint, p_released text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held lockstep.repository%rowtype;
begin
  perform lockstep.act_as(p_device);
  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;
  if not found then return 'kept'; end if;
  select * into held from lockstep.repository r where r.id = p_repository for no key update;
  perform 1 from lockstep.replica p
    where p.repository_id = p_repository and p.device = p_device and p.state in ('released', 'destroyed')
      and extract(epoch from p.released_at)::text = p_released for update;
  if not found then return 'kept'; end if;
  if held.keep_until > clock_timestamp() then
    insert into lockstep.command (id, repository_id, repository, device, command, arguments, author, reason, due_at)
      values (gen_random_uuid(), held.id, held.removed_name, p_device, 'destroy', jsonb_build_object('released', p_released),
        'lockstep', 'its repository can still be restored', held.keep_until)
      on conflict do nothing;
    return 'early';
  end if;
  update lockstep.replica p set state = 'destroyed', version = 0, updated_at = clock_timestamp()
    where p.repository_id = p_repository and p.device = p_device;
  return 'destroyed';
end $$;
