-- Locks the registry for a change, and tells every sidecar to read it again once the change is committed.
create function lockstep.change_registry() returns void language sql as $$
  update lockstep.registry set generation = generation + 1;
  select pg_notify('lockstep_registry', '');
$$;
