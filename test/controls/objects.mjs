// Negative controls of the objects: which ones a write needs, and where a device gets them.

/** @type {import("./controls.mjs").Control[]} */
export const objectControls = [
  {
    rule: "objects are on several devices before the write lands",
    patches: [
      {
        file: "src/sync/write/stage.ts",
        from: "if (isShort(staged.copiesRule, holders, request.updates)) {",
        to: "if (Date.now() < 0) {",
      },
      {
        file: "src/sync/push/push.ts",
        from: "if (replica.copiesRule.atLeast > 1 && allowed.length > 0) {",
        to: "if (Date.now() < 0) {",
      },
    ],
    project: "integration",
    tests: "test/integration/copies.test.ts",
    name: "loses nothing when the disk of the writer is lost",
  },
  {
    rule: "a catch-up asks for no pack of what this device holds for another one",
    patches: [
      {
        file: "src/sync/objects/fetch-objects.ts",
        from: "  if (held.size === 0) return request;",
        to: "  if (held.size >= 0) return request;",
      },
      {
        file: "src/sync/objects/fetch-objects.ts",
        from: "  if (request.lookHere && (await isHere(context, replica, request)))",
        to: "  if (Date.now() < 0 && (await isHere(context, replica, request)))",
      },
    ],
    project: "integration",
    tests: "test/integration/budgets.test.ts",
    name: "asks for no pack of what it holds for another device",
  },
  {
    rule: "what a catch-up is said to hold is looked at: its objects may be gone",
    patches: [
      {
        file: "src/sync/objects/fetch-objects.ts",
        from: "  if (!(await isHere(context, replica, { ...request, wants: [...held] }))) return request;",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/budgets.test.ts",
    name: "fetches what it should hold and does not",
  },
  {
    rule: "a catch-up makes two statements",
    patches: [
      {
        file: "src/sync/catch-up/follow-log.ts",
        from: "    sources: read.beside?.sources,\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/budgets.test.ts",
    name: "makes two statements and one request",
  },
  {
    rule: "two devices do not wait for each other's objects",
    patches: [
      {
        file: "src/sync/objects/serve-pack.ts",
        from: "if (flight.asking.has(asker)) throw",
        to: "if (Date.now() < 0) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/fan-out.test.ts",
    name: "comes soon to devices that were sent to each other",
  },
  {
    rule: "what lands while a follower catches up goes into its next catch-up",
    patches: [
      {
        file: "src/sync/catch-up/follower.ts",
        from: "if (this.#following.has(found.id)) this.#following.set(found.id, found);",
        to: "if (this.#following.has(found.id)) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/budgets.test.ts",
    name: "is followed by one more for all that landed meanwhile",
  },
  {
    rule: "a repository rests after a catch-up, so that pushes gather",
    patches: [
      {
        file: "src/sync/catch-up/follower.ts",
        from: "else setTimeout(() => this.#rested(id), this.#restAfter(performance.now() - startedAt)).unref();",
        to: "else this.#rested(id);",
      },
    ],
    project: "integration",
    tests: "test/integration/budgets.test.ts",
    name: "the repository rests after one",
  },
  {
    rule: "what a read is to wait for is reachable, not merely present",
    patches: [
      {
        file: "src/git/refs/refs.ts",
        from: 'type === "tag" ? ["--objects", "--no-object-names", "--max-count=0"] : ["--max-count=1"]',
        to: '["--max-count=1"]',
      },
    ],
    project: "integration",
    tests: "test/integration/read-at-least.test.ts",
    name: "takes an annotated tag too",
  },
  {
    rule: "a short walk looks for each new file",
    patches: [
      {
        file: "src/git/reading/short-walk.ts",
        from: '(await this.#reader.types(blobs)).every((type) => type === "blob")',
        to: "blobs.length >= 0",
      },
    ],
    project: "integration",
    tests: "test/integration/short-walk.test.ts",
    name: "does not say so when any one of the new objects is missing",
  },
  {
    rule: "a short walk that meets a missing object does not know",
    patches: [
      {
        file: "src/git/reading/short-walk.ts",
        from: "    return found.every((object) => object !== undefined) ? found : undefined;",
        to: "    return found.filter((object) => object !== undefined);",
      },
    ],
    project: "integration",
    tests: "test/integration/short-walk.test.ts",
    name: "does not say so when any one of the new objects is missing",
  },
  {
    rule: "the git that reads objects ends when gc has removed some",
    patches: [{ file: "src/sync/replica/remove-expired.ts", from: "    keptReader.end();\n", to: "" }],
    project: "integration",
    tests: "test/integration/collect-unreachable.test.ts",
    name: "that went are not found by a git that has read them before",
  },
  {
    rule: "the git that reads objects is that of the directory",
    patches: [
      {
        file: "src/git/working-directory.ts",
        from: "return own !== undefined && own.ino === wanted?.ino && own.dev === wanted.dev;",
        to: "return own !== undefined && wanted !== undefined;",
      },
    ],
    project: "integration",
    tests: "test/integration/short-walk.test.ts",
    name: "is replaced when it has been killed, and when the directory is another one",
  },
  {
    rule: "the objects of a push are checked whatever replaces them for the front end's git",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "  if (await isConnected(context, gitDir, ...walk, { signal })) return new Map();",
        to: "  if (Date.now() > 0) return new Map();",
      },
    ],
    project: "e2e",
    tests: "test/e2e/replacement-refs.test.ts",
    name: "a commit whose parent nobody has lands neither",
  },
  {
    rule: "the sidecar's own git follows no replacement",
    patches: [
      { file: "src/git/command/command.ts", from: 'GIT_NO_REPLACE_OBJECTS: "1",', to: "" },
      {
        file: "src/git/command/command.ts",
        from: '"core.useReplaceRefs": "false"',
        to: '"core.useReplaceRefs": "true"',
      },
    ],
    project: "e2e",
    tests: "test/e2e/replacement-refs.test.ts",
    name: "a commit whose parent nobody has lands neither",
  },
  {
    rule: "the walk over what is new ends at what the refs hold, not at what a pusher claims",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "making\n    .filter(({ name, oldValue }) => oldValue !== null && !isId(toLatin1(name)))\n    .map(({ name }) => name);",
        to: "objectIds(making.map(({ oldValue }) => oldValue)) as unknown as RefName[];",
      },
      {
        file: "src/git/objects/whole-updates.ts",
        from: "known.length === making.length ? known : ",
        to: "known.length > 0 ? known : ",
      },
    ],
    project: "e2e",
    tests: "test/e2e/replacement-refs.test.ts",
    name: "the old value that a pusher claims",
  },
  {
    rule: "a name that git takes for the id of an object ends no walk",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "return /-g[0-9a-f]*$/i.test(name);",
        to: "return name === '';",
      },
    ],
    project: "integration",
    tests: "test/integration/whole-updates.test.ts",
    name: "is not taken in by a name",
  },
  {
    rule: "a copy does not rest on objects that merely exist",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "  if (here.length === 0 || (await isConnected(",
        to: "  if (Date.now() > 0 || (await isConnected(",
      },
    ],
    project: "integration",
    tests: "test/integration/whole-updates.test.ts",
    name: "does not rest on what merely lies on the disk",
  },
  {
    rule: "what hides a part of history is set aside before a replica is read",
    patches: [
      { file: "src/git/objects/beside-objects.ts", from: "  await setFilesAside(gitDir, found, to);\n", to: "" },
      {
        file: "src/git/command/environment.ts",
        from: "    ...OBJECTS_AS_THEY_ARE,\n    ...asEnvironment(FOR_CLIENTS),\n",
        to: "",
      },
    ],
    project: "e2e",
    tests: "test/e2e/shallow.test.ts",
    name: "is set aside before the first read",
  },
  {
    rule: "work at a source is what its git says that is new",
    patches: [
      {
        file: "src/git-port/answers.ts",
        from: "  const { pack, done } = await packs.open(device, asked, gone, heartbeat(response));\n",
        to: "  const beat = heartbeat(response);\n  setInterval(beat, 3_000).unref();\n  const { pack, done } = await packs.open(device, asked, gone, beat);\n",
      },
    ],
    project: "integration",
    tests: "test/integration/hung-sources.test.ts",
    name: "tells the peer only of what is new",
  },
  {
    rule: "another source is asked when the first shows no work",
    patches: [
      { file: "src/sync/objects/source-race.ts", from: "onQuiet(), WAITS.sourceHedgeMs", to: "onQuiet(), 3_000_000" },
    ],
    project: "integration",
    tests: "test/integration/hung-sources.test.ts",
    name: "it sleeps",
  },
  {
    rule: "each device has places of its own",
    patches: [{ file: "src/sync/objects/pack-places.ts", from: "if (own >= this.#limits.own && ", to: "if (" }],
    project: "unit",
    tests: "test/unit/pack-places.test.ts",
    name: "for every other device",
  },
  {
    rule: "a peer that takes nothing is hung up on",
    patches: [
      { file: "src/git-port/response-watch.ts", from: "waiting > 0 ? WAITS.gitStallMs", to: "waiting > 0 ? 1e9" },
    ],
    project: "integration",
    tests: "test/integration/stalled-peers.test.ts",
    name: "keeps no other device from its packs \\(byGit",
  },
  {
    rule: "a place is taken once the question is whole",
    patches: [
      {
        file: "src/git-port/upload-pack.ts",
        from: "await wholeRequest(bodies, request);",
        to: "requestBody(request);",
      },
    ],
    project: "integration",
    tests: "test/integration/stalled-peers.test.ts",
    name: "stock git\\), and is hung up on",
  },
];
