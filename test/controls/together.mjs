// Negative controls of pushes that are decided together.

const DECISION = { project: "integration", tests: "test/integration/bump-together.test.ts" };
const PUSH = { project: "integration", tests: "test/integration/push-together.test.ts" };
const ANSWER = { project: "integration", tests: "test/integration/push-together-answer.test.ts" };
const DISK = { project: "integration", tests: "test/integration/push-together-disk.test.ts" };
const SQL = "migrations/functions/bump_together.sql";
const GROUP = "src/sync/group/land-group.ts";

/** @type {import("./controls.mjs").Control[]} */
export const togetherControls = [
  {
    rule: "writes that are decided together land only if the old values of all hold",
    patches: [
      {
        file: SQL,
        from: "      or not lockstep.old_values_hold(p_repository, p_names[ends + 1:], p_old_values[ends + 1:])\n",
        to: "",
      },
    ],
    ...DECISION,
    name: "land none if one of them has another old value",
  },
  {
    rule: "writes that are decided together land only if none of them was dropped",
    patches: [{ file: SQL, from: "if made < writes - 1\n      or not", to: "if not" }],
    ...DECISION,
    name: "land none if one of them was dropped before",
  },
  {
    rule: "writes that are decided together leave room for the refs of other devices",
    patches: [{ file: SQL, from: "or first <> p_base + 1 and not", to: "or first < 0 and not" }],
    ...DECISION,
    name: "land none over a version whose ref excludes one of theirs",
  },
  {
    rule: "a repeated decision of several writes gives the same versions",
    patches: [{ file: SQL, from: "  if found then\n", to: "  if false then\n" }],
    ...DECISION,
    name: "give the same versions to a statement that is sent again",
  },
  {
    rule: "pushes are told only once their group is decided",
    patches: [
      {
        file: GROUP,
        from: '    await crashPoint("group.deciding");\n',
        to: '    for (const member of group) tell(member, { status: "landed", version: ready.request.base + 1n }, true);\n',
      },
    ],
    ...PUSH,
    name: "land beside one that the database refuses",
  },
  {
    rule: "a push that is refused does not take along those that were decided with it",
    patches: [
      { file: GROUP, from: 'member.tell({ outcome: "not_at_once" });', to: 'member.fail(new Error("refused"));' },
    ],
    ...PUSH,
    name: "land beside one that the database refuses",
  },
  {
    rule: "when the answer for a group is lost, the row of each push is asked",
    patches: [
      {
        file: GROUP,
        from: "return await settle(context, replica, write, why);",
        to: 'await settle(context, replica, write, why);\n        return { status: "dropped", reason: why };',
      },
    ],
    ...ANSWER,
    name: "is lost: the row of each is asked",
  },
  {
    rule: "an error after the decision of a group changes no outcome",
    patches: [
      {
        file: GROUP,
        from: "  } finally {\n    for (const [index, member]",
        to: "  } catch (error) {\n    for (const member of group) member.fail(error);\n  }\n  {\n    for (const [index, member]",
      },
    ],
    ...DISK,
    name: "an error comes before their refs",
  },
  {
    rule: "an outcome is unknown also where the disk takes no note of the doubt",
    patches: [
      {
        file: "src/sync/write/decide.ts",
        from: "(refused: unknown) => {\n",
        to: "(refused: unknown) => {\n          throw refused;\n",
      },
    ],
    ...DISK,
    name: "takes no note of the doubt",
  },
  {
    rule: "a group that landed over other versions is not written to the disk",
    patches: [{ file: GROUP, from: " && versions[0] === base + 1n;", to: ";" }],
    ...PUSH,
    name: "land over versions of another device",
  },
  {
    rule: "a push that was taken along is not attempted again when its turn comes",
    patches: [
      {
        file: "src/sync/group/group.ts",
        from: 'known: () => (member.state === "taken" ? member.decided : undefined),',
        to: "known: () => undefined,",
      },
    ],
    ...PUSH,
    name: "get the mutex once for all of them",
  },
  {
    rule: "a push whose pusher is gone is not decided with others",
    patches: [{ file: "src/sync/group/group.ts", from: "    if (isGone(member)) continue;\n", to: "" }],
    ...PUSH,
    name: "are decided together without the second one, whose pusher is gone",
  },
  {
    rule: "a pusher that goes while a group is prepared does not make the others go alone",
    patches: [{ file: GROUP, from: "!decides && !group.some(isGone)", to: "!decides" }],
    ...PUSH,
    name: "whose pusher goes while the refs of all are locked",
  },
  {
    rule: "pushes that name the same ref are not decided together",
    patches: [{ file: "src/git/refs/ref-paths.ts", from: "!this.#names.has(name) &&", to: "" }],
    ...PUSH,
    name: "that name the same ref are not decided together",
  },
];
