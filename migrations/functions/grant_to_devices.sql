-- Gives the role of all logins of devices its rights, and takes all others from it. It may read everything but tokens.
-- It changes the registry, the log and the audit only through functions that check for which device the session acts.
create function lockstep.grant_to_devices() returns void
language plpgsql as $$
declare
  devices text := quote_ident(lockstep.device_group());
begin
  execute format('revoke all on all functions in schema lockstep from public, %s', devices);
  execute format('revoke all on all tables in schema lockstep from %s', devices);
  if not has_database_privilege(lockstep.device_group(), current_database(), 'connect') then
    execute format('grant connect on database %I to %s', current_database(), devices);
  end if;
  execute format('grant usage on schema lockstep to %s', devices);
  execute format('grant select on
      lockstep.schema_level, lockstep.timeline, lockstep.device, lockstep.repository, lockstep.setting, lockstep.kept_on_disk,
      lockstep.former_name, lockstep.ref_log, lockstep.log_trimmed, lockstep.ref_log_update, lockstep.repository_ref, lockstep.replica,
      lockstep.adoption, lockstep.unknown_directory, lockstep.write, lockstep.turn, lockstep.command, lockstep.sync_event, lockstep.push_event, lockstep.pull_event,
      lockstep.write_stop, lockstep.registry, lockstep.principal, lockstep.credential, lockstep.waiting_key, lockstep.device_login,
      lockstep.audit, lockstep.audit_chain, lockstep.hook, lockstep.ref_log_position to %s', devices);
  -- Its own rows (own_rows.sql).
  execute format('grant update (expires_at, root_path, root_mount, root_place) on lockstep.device to %s', devices);
  execute format('grant update (version, state, fence, statement_number, last_error, attempts, next_attempt_at, updated_at, scrubbed_at, scrub, places, kept)
    on lockstep.replica to %s', devices);
  execute format('grant insert, update (takes_over, late_until) on lockstep.adoption to %s', devices);
  execute format('grant insert, update, delete on lockstep.unknown_directory to %s', devices);
  execute format('grant insert, update on lockstep.kept_on_disk to %s', devices);
  execute format('grant update (expires_at), delete on lockstep.turn to %s', devices);
  execute format('grant update (cursor, delivered, delivered_at, missed_at, attempts, next_attempt_at, last_error) on lockstep.hook to %s', devices);
  execute format('grant insert, update (at), delete on lockstep.sync_event, lockstep.push_event, lockstep.pull_event to %s', devices);
  -- Rows that are old enough.
  execute format('grant update (due_at), delete on lockstep.command to %s', devices);
  execute format('grant update (until), delete on lockstep.former_name to %s', devices);
  -- Row locks only.
  execute format('grant update (reason) on lockstep.write to %s', devices);
  execute format('grant update (trim_at) on lockstep.repository to %s', devices);
  -- When a key was last shown.
  execute format('grant update (seen_at) on lockstep.credential to %s', devices);
  -- The triggers of the audit number and chain the row, and add the login.
  execute format('grant insert (author, action, repository, device, result, detail) on lockstep.audit to %s', devices);
  execute format('grant execute on function
      lockstep.own_device, lockstep.least_kept, lockstep.system_identifier, lockstep.current_timeline, lockstep.read_heads, lockstep.stop_reason,
      lockstep.turn_holder, lockstep.standing, lockstep.refs_in_the_way, lockstep.log_tail, lockstep.only_on, lockstep.verify_audit,
      lockstep.audit_hash, lockstep.adopt, lockstep.begin_session, lockstep.bump, lockstep.bump_together, lockstep.claim_hooks, lockstep.claim_trim,
      lockstep.confirm_reads, lockstep.create_repository, lockstep.destroy_replica, lockstep.drain_device,
      lockstep.drop_expired_sessions, lockstep.end_command, lockstep.enqueue_repairs, lockstep.enroll_key, lockstep.give_up_session,
      lockstep.land_unchanged, lockstep.order_command, lockstep.place_replicas, lockstep.purge_removed, lockstep.release_replica,
      lockstep.remove_device, lockstep.remove_repository, lockstep.rename_repository, lockstep.renew_lease,
      lockstep.restore_repository, lockstep.set_device_writes, lockstep.set_repository, lockstep.settle_write, lockstep.stage_write,
      lockstep.start_command, lockstep.stop_repository, lockstep.take_over, lockstep.take_turn, lockstep.thaw, lockstep.trim_audit,
      lockstep.trim_log, lockstep.trim_writes, lockstep.undrain_device, lockstep.add_hook, lockstep.remove_hook,
      lockstep.stop_new_writes, lockstep.stop_staged_writes, lockstep.end_write_stops, lockstep.set_update_limit, lockstep.set_keep_log to %s', devices);
end $$;
