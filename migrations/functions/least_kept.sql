-- Returns for how long a subject is kept at least, when the login of a device deletes its rows. It is the time that
-- operators have set, or the default (src/store/retention/subjects.ts). versions: only of the log.
create function lockstep.least_kept(p_subject text, out versions bigint, out days integer)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(substring(k.keep from '^(\d+)(?:,|$)')::bigint, 1), coalesce(substring(k.keep from '(\d+)d$')::integer, 0)
  from (select coalesce(s.value #>> '{}', d.keep) as keep
    from (values ('log', '10000,90d'), ('writes', '30d'), ('commands', '30d'), ('syncs', '90d'), ('audit', '365d'),
      ('pushes', '90d'), ('pulls', '7d')) d (subject, keep)
    left join lockstep.setting s on s.name = 'keep.' || d.subject
    where d.subject = p_subject) k
$$;
