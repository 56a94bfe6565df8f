-- After any doubt: makes the row final, then obeys it. Waits for a bump that is under way (its row lock).
create function lockstep.settle_write(
  p_write uuid, p_reason text, out status text, out version bigint, out drop_reason text)
language plpgsql as $$
begin
  update lockstep.write w set status = 'dropped', drop_reason = p_reason, decided_at = clock_timestamp()
    where w.id = p_write and w.status = 'staged';
  select w.status, w.version, w.drop_reason into status, version, drop_reason
    from lockstep.write w where w.id = p_write;
end $$;
