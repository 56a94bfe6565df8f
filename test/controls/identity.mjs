// Who is let in, what a key may read, and the chain of the audit.
/** @type {import("./controls.mjs").Control[]} */
export const identityControls = [
  {
    rule: "a change of the registry cuts the connections whose key is not trusted any more",
    patches: [
      {
        file: "src/sync/registry/registry.ts",
        from: "    for (const listener of this.#listeners) listener();\n",
        to: "",
      },
    ],
    project: "e2e",
    tests: "test/e2e/registry.test.ts",
    name: "ends connections and streams on every device",
  },
  {
    rule: "a key that nobody has trusted lets nobody in",
    patches: [
      {
        file: "src/sync/registry/registry-errors.ts",
        from: 'if (standing === "trusted") return undefined;\n',
        to: 'if (standing !== "revoked") return undefined;\n',
      },
    ],
    project: "e2e",
    tests: "test/e2e/registry.test.ts",
    name: "a device that nobody has trusted is refused and waits",
  },
  {
    rule: "a name that is known must show a key of its own, also with --trust-ca",
    patches: [
      {
        file: "migrations/functions/enroll_key.sql",
        from: "when not is_known and p_open then '--trust-ca'",
        to: "when p_open then '--trust-ca'",
      },
    ],
    project: "integration",
    tests: "test/integration/registry.test.ts",
    name: "must show the same key from then on",
  },
  {
    rule: "a sidecar that cannot read the registry lets nobody new in",
    patches: [
      {
        file: "src/sync/registry/registry.ts",
        from: "this.#lookedAt > WAITS.registryStaleMs",
        to: "this.#lookedAt > 60_000_000",
      },
    ],
    project: "integration",
    tests: "test/integration/registry-copy.test.ts",
    name: "lets nobody new in",
  },
  {
    rule: "a device fetches only what it holds",
    patches: [
      {
        file: "src/git-port/device-limits.ts",
        from: "if ((await context.holds(device, which)) !== false) return;",
        to: "if (context.holds !== undefined) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/git-port-not-held.test.ts",
    name: "gets no refs, no pack and no word",
  },
  {
    rule: "a device fetches by its id only what a ref has or had",
    patches: [
      {
        file: "src/sync/objects/fetchable.ts",
        from: "if (denied === undefined) return this.note(repositoryId, open);",
        to: "if (denied !== null) return this.note(repositoryId, open);",
      },
    ],
    project: "integration",
    tests: "test/integration/fetchable.test.ts",
    name: "gets nothing that no ref ever had: dropped",
  },
  {
    rule: "git over ssh is told what a device wants only when it may have it",
    patches: [
      {
        file: "src/git-port/ssh-server.ts",
        from: "if (wants.length > 0) await allow(wants);",
        to: "if (wants.length > 0) void allow(wants).catch(() => {});",
      },
    ],
    project: "integration",
    tests: "test/integration/fetchable.test.ts",
    name: "over git over ssh",
  },
  {
    rule: "a pack that git has made is kept until the log has answered",
    patches: [
      {
        file: "src/sync/objects/serve-pack.ts",
        from: '    stream.pack.on("readable", listening);\n',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/fetchable.test.ts",
    name: "may be found out after git has made",
  },
  {
    rule: "the chain of the audit is dense",
    patches: [
      {
        file: "migrations/functions/verify_audit.sql",
        from: "if each.id <> last + 1 then problem := 'missing'; return; end if;",
        to: "",
      },
      {
        file: "migrations/functions/verify_audit.sql",
        from: "if each.hash <> lockstep.audit_hash(hash, each) then problem := 'changed'; return; end if;",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/audit.test.ts",
    name: "removes a row",
  },
  {
    rule: "a device that was removed is let in no more",
    patches: [
      {
        file: "src/sync/registry/registry.ts",
        from: 'return owner?.removed ? "removed" : owner?.keys.get(key.fingerprint);',
        to: "return owner?.keys.get(key.fingerprint);",
      },
    ],
    project: "integration",
    tests: "test/integration/certificate-turns.test.ts",
    name: "of a device that is removed",
  },
  {
    rule: "a removal is told to every sidecar at once",
    patches: [
      {
        file: "migrations/functions/remove_device.sql",
        from: "  perform lockstep.change_registry();\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/revoked-in-transfer.test.ts",
    name: "breaks off for its device when it is removed",
  },
  {
    rule: "a connection ends when an operator changes what its owner may do",
    patches: [
      {
        file: "src/tls/peers.ts",
        from: "connection.limits !== this.#trust.limitsOf?.(identity)",
        to: "connection.limits === null",
      },
    ],
    project: "integration",
    tests: "test/integration/certificate-turns.test.ts",
    name: "of a front end that may use only some repositories from then on",
  },
];
