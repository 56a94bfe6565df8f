-- Adds two digests modulo 2^256, in eight parts of 32 bits. A digest is a sum, so a write brings what it adds to the
-- digest of any refs that have its old values.
create function lockstep.add_digests(p_one bytea, p_other bytea) returns bytea
language plpgsql immutable as $$
declare
  result bytea := p_one;
  total bigint := 0;
begin
  for part in reverse 7..0 loop
    total := (total >> 32) + ('x' || encode(substring(p_one from 4 * part + 1 for 4), 'hex'))::bit(32)::bigint
      + ('x' || encode(substring(p_other from 4 * part + 1 for 4), 'hex'))::bit(32)::bigint;
    result := overlay(result placing substring(int8send(total) from 5 for 4) from 4 * part + 1);
  end loop;
  return result;
end $$;
