// Negative controls of pushes that land over versions which their device does not have.

const DECISION = { project: "integration", tests: "test/integration/bump-over-others.test.ts" };
const LANDED = { project: "integration", tests: "test/integration/landed-over-others.test.ts" };
const PUSH = { project: "integration", tests: "test/integration/push-over-others.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const overOthersControls = [
  {
    rule: "a push is disturbed only by a push to the same ref",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "elsif known.serial or attempt.session or not lockstep.is_base(p_repository, p_base, p_base_digest) then",
        to: "else",
      },
    ],
    ...PUSH,
    name: "lands at once if that was to other refs",
  },
  {
    rule: "the log must have the base of a write, with its digest",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: " or not lockstep.is_base(p_repository, p_base, p_base_digest) then",
        to: " then",
      },
    ],
    ...DECISION,
    name: "is stale on a version that the log",
  },
  {
    rule: "refs that a device does not know leave room for those that it makes",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "\n      and lockstep.leaves_room(p_repository, p_names, p_old_values, p_new_values)) then",
        to: ") then",
      },
    ],
    ...DECISION,
    name: "is stale when a ref has come that lies",
  },
  {
    rule: "an alias leads where it led when the write is decided",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "lockstep.old_values_hold(p_repository, p_seen, p_seen_values)",
        to: "true",
      },
    ],
    ...PUSH,
    name: "does not follow an alias to where it led before",
  },
  {
    rule: "a write brings what it adds to the digest of the head, whatever that is",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "lockstep.add_digests(known.head_digest, p_difference)",
        to: "lockstep.add_digests(coalesce(p_base_digest, known.head_digest), p_difference)",
      },
    ],
    ...DECISION,
    name: "lands above them when its refs are untouched",
  },
  {
    rule: "a catch-up adds the changes up to the digest",
    patches: [{ file: "src/sync/catch-up/follow-log.ts", from: " || !isSum(read)", to: "" }],
    project: "integration",
    tests: "test/integration/catch-up.test.ts",
    name: "does not take over changes that do not add up to the digest of the head",
  },
  {
    rule: "a disk is at one version: a write that landed over others is not committed to it",
    patches: [
      { file: "src/sync/write/attempt.ts", from: "const onDisk = version === base + 1n;", to: "const onDisk = true;" },
    ],
    ...LANDED,
    name: "keeps the refs of its version, and says ok",
  },
  {
    rule: "a write that landed over others is reported when its device has those",
    patches: [
      {
        file: "src/sync/write/land.ts",
        from: "        if (attempt.version !== null && !attempt.onDisk) {",
        to: "        if (attempt.version === null) {",
      },
    ],
    ...LANDED,
    name: "gives its write up with the version before",
  },
  {
    rule: "objects that several devices hold come from each of them",
    patches: [
      { file: "src/sync/objects/fetch-objects.ts", from: "if (parts.length < 2 ||", to: "if (parts.length < 2_000 ||" },
    ],
    ...LANDED,
    name: "bring each other what they lack",
  },
  {
    rule: "versions that are lost with a device do not bind those that landed over them",
    patches: [
      { file: "src/sync/operator/thaw-demote.ts", from: "writers: nextIsGone ? built : writers", to: "writers" },
    ],
    ...LANDED,
    name: "gives its write up with the version before",
  },
  {
    rule: "a repository may have its writes one at a time",
    patches: [{ file: "migrations/functions/bump.sql", from: "known.serial or ", to: "" }],
    ...DECISION,
    name: "takes a write on the head only",
  },
  {
    rule: "git on an older disk does not decide what is refused",
    patches: [
      {
        file: "src/sync/write/prepare-refs.ts",
        from: '    if (!onHead && (contradictsLog(refusal) || tried > 0)) return { outcome: "behind" };\n',
        to: "",
      },
    ],
    ...PUSH,
    name: "finds the room that a deletion on another device has made",
  },
  {
    rule: "gc keeps the objects of a landed write whose refs are not here yet",
    patches: [
      {
        file: "src/sync/replica/remove-expired.ts",
        from: '    if (replica.applied < replica.landed) return "busy";\n',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/collect-beside-work.test.ts",
    name: "stay when a write needs them that has landed and is not on this disk yet",
  },
  {
    rule: "the hook of an operator sees the refs on which a write lands",
    patches: [
      {
        file: "src/sync/write/attempt.ts",
        from: " || hookFolder(gitDir, request.refAuthor) !== undefined",
        to: "",
      },
    ],
    ...PUSH,
    name: "lands on the head only if a reference-transaction hook looks on",
  },
  {
    rule: "locks of a git that was killed before it committed are swept at the next access",
    patches: [
      {
        file: "src/git/transactions/ref-transaction.ts",
        from: "if ((await this.#git.wasKilled()) && this.#asked) noteKilledWriter(this.#gitDir);",
        to: "void (await this.#git.wasKilled()), noteKilledWriter, this.#gitDir;",
      },
    ],
    project: "integration",
    tests: "test/integration/push-over-others.test.ts",
    name: "its git is killed then",
  },
];
