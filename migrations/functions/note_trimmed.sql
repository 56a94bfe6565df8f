-- Notes up to which position the log of a repository was trimmed, whoever trims it. If the whole repository is removed,
-- there is nothing to note.
create function lockstep.note_trimmed() returns trigger
language plpgsql as $$
begin
  insert into lockstep.log_trimmed as t (repository_id, position)
    select g.repository_id, max(g.position) from gone g
    where exists (select from lockstep.repository r where r.id = g.repository_id)
    group by g.repository_id order by g.repository_id
    on conflict (repository_id) do update set position = greatest(t.position, excluded.position);
  return null;
end $$;
create trigger trimmed after delete on lockstep.ref_log referencing old table as gone
  for each statement execute function lockstep.note_trimmed();
