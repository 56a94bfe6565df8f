// Negative controls of the objects that a write or a read needs: which ones, and how they are looked for.

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
    tests: "test/integration/collect-beside-work.test.ts",
    name: "a git that has read unreachable objects before does not find them",
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
    tests: "test/integration/reading-git.test.ts",
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
    tests: "test/e2e/hidden-history.test.ts",
    name: "is set aside before the first read",
  },
];
