-- Returns refs at the head that may keep new refs from being made. These are the names of p_above that exist, and the
-- first refs below each name of p_below, at most as many as p_most says. Each name is looked up by itself, so the cost
-- follows the names and not the refs of the repository.
create function lockstep.refs_in_the_way(
  p_repository uuid, p_above bytea[], p_below bytea[], p_most integer[]) returns bytea[]
language plpgsql stable set enable_seqscan = off as $$
begin
  return array(
    select found.name from (
      select (select r.name from lockstep.repository_ref r where r.repository_id = p_repository and r.name = a.name) as name
      from unnest(p_above) a (name)) found
    where found.name is not null
    union all
    -- '0' is the byte after '/'.
    select below.name from unnest(p_below, p_most) b (name, most), lateral (
      select r.name from lockstep.repository_ref r
      where r.repository_id = p_repository and r.name > b.name || '/'::bytea and r.name < b.name || '0'::bytea
      order by r.name limit b.most) below);
end $$;
