-- Adds a hook, unless there are p_limit hooks already. Returns whether it was added.
create function lockstep.add_hook(
  p_id uuid, p_url text, p_repositories text[], p_visible text, p_secret text, p_author text, p_cursor text, p_limit integer)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into lockstep.hook (id, url, repositories, visible, secret, author, cursor)
    select p_id, p_url, p_repositories, p_visible, p_secret, p_author, p_cursor where (select count(*) from lockstep.hook) < p_limit;
  if not found then return false; end if;
  insert into lockstep.audit (author, action, detail) values (p_author, 'add hook', jsonb_build_object('hook', p_id));
  return true;
end $$;
