// Negative controls of catch-ups: what they cost, and from which devices the objects come.

/** @type {import("./controls.mjs").Control[]} */
export const sourceControls = [
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
    patches: [{ file: "src/fair-places.ts", from: "if (own >= this.#limits.own && ", to: "if (" }],
    project: "unit",
    tests: "test/unit/fair-places.test.ts",
    name: "for every other device",
  },
  {
    rule: "a peer that takes nothing is hung up on",
    patches: [{ file: "src/io/stalled/watch-response.ts", from: "waiting > 0 ? takeMs", to: "waiting > 0 ? 1e9" }],
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
