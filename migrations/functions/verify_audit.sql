-- Follows the chain of the audit from p_after, whose hash is p_hash, over at most p_limit rows. `last`, `hash`: where
-- it ended. `problem`: null, or 'missing' or 'changed' for the row after `last`.
create function lockstep.verify_audit(p_after bigint, p_hash bytea, p_limit integer, out last bigint, out hash bytea, out problem text)
language plpgsql stable as $$
declare
  each lockstep.audit%rowtype;
begin
  last := p_after;
  hash := p_hash;
  for each in select * from lockstep.audit a where a.id > p_after order by a.id limit p_limit loop
    if each.id <> last + 1 then problem := 'missing'; return; end if;
    if each.hash <> lockstep.audit_hash(hash, each) then problem := 'changed'; return; end if;
    last := each.id;
    hash := each.hash;
  end loop;
end $$;
