-- Takes one repository whose log is due for a look, and moves the base of its log. The rows up to that base may then be
-- deleted (trim_log). No row: nothing is due. p_only: takes this repository, due or not. p_step: how many versions the
-- base moves at most. `more`: the base may move further.
--
-- A version stays in the log while it is among the newest p_versions, or younger than p_days. The repository has
-- numbers of its own if keep_versions is set. Its row is locked here only, for a few milliseconds. A row that
-- another statement has locked is left for the next time, and so no push waits for two of these.
create function lockstep.claim_trim(
  p_only uuid, p_versions bigint, p_days integer, p_step bigint,
  out repository_id uuid, out base bigint, out more boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  due lockstep.repository%rowtype;
  kept_versions bigint;
  oldest timestamptz;
  young bigint;
  next_look interval := interval '1 day' * (0.8 + 0.4 * random());
  kept_for interval;
begin
  if p_only is null then
    -- now() and not clock_timestamp(): an index is searched only for a value that does not change meanwhile.
    select * into due from lockstep.repository r where r.trim_at <= now() order by r.trim_at limit 1 for no key update skip locked;
  else
    select * into due from lockstep.repository r where r.id = p_only for no key update skip locked;
  end if;
  if not found then return; end if;
  repository_id := due.id;
  base := due.log_base;
  more := false;
  -- The row of the head always stays.
  if lockstep.is_of_device() then
    select greatest(p_versions, k.versions), greatest(p_days, k.days) into p_versions, p_days from lockstep.least_kept('log') k;
  end if;
  kept_versions := greatest(coalesce(due.keep_versions, p_versions), 1);
  kept_for := coalesce(due.keep_days, p_days) * interval '1 day';
  -- While an operator has to decide, devices compare their disks with the log.
  if due.stopped is null and due.head_version - kept_versions > due.log_base then
    base := least(due.head_version - kept_versions, due.log_base + p_step);
    select l.version into young from lockstep.ref_log l
      where l.repository_id = due.id and l.version > due.log_base and l.version <= base and l.landed_at > clock_timestamp() - kept_for
      order by l.version limit 1;
    if young is not null then
      base := young - 1;
      select l.landed_at into oldest from lockstep.ref_log l where l.repository_id = due.id and l.version = young;
      next_look := greatest(least(next_look, oldest + kept_for - clock_timestamp()), interval '1 minute');
    else
      more := base < due.head_version - kept_versions;
    end if;
  end if;
  -- If this device dies before it has deleted the rows, another one looks soon.
  if base > due.log_base then next_look := interval '1 minute'; end if;
  update lockstep.repository r set log_base = claim_trim.base, trim_at = clock_timestamp() + next_look where r.id = due.id;
end $$;
