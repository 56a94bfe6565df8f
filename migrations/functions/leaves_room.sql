-- Returns whether the refs that a write makes can be beside those of the head. None of these may be above or below a
-- new one, except those that the write deletes. The caller holds the row of the repository. git has compared the refs
-- of the write with each other, and with those on the disk of its device. The disk may be older than the head.
create function lockstep.leaves_room(
  p_repository uuid, p_names bytea[], p_old_values bytea[], p_new_values bytea[]) returns boolean
language plpgsql stable set enable_seqscan = off as $$
declare
  made bytea[] := array(
    select u.name from unnest(p_names, p_old_values, p_new_values) u (name, old_value, new_value)
    where u.old_value is null and u.new_value is not null);
  gone bytea[] := array(
    select u.name from unnest(p_names, p_new_values) u (name, new_value) where u.new_value is null);
  -- 47: a slash.
  above bytea[] := array(
    select distinct substring(m.name from 1 for slash - 1) from unnest(made) m (name), generate_series(2, length(m.name)) slash
    where get_byte(m.name, slash - 1) = 47);
begin
  if made = '{}' then return true; end if;
  return not exists (
    select way.name from unnest(lockstep.refs_in_the_way(
      p_repository, above, made, array_fill(cardinality(gone) + 1, array[cardinality(made)]))) way (name)
    except select g.name from unnest(gone) g (name));
end $$;
