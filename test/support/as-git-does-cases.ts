// Pushes whose outcome must be that of plain git (../e2e/as-git-does.test.ts).

/** Repositories before a push, and the push. */
interface Case {
  readonly title: string;
  /** Beside refs/heads/main, below refs/. */
  readonly before: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  /** In the repository that is pushed from. */
  readonly source: readonly string[];
  /** Arguments of `git push`; the last of them are refspecs. */
  readonly options?: readonly string[];
  readonly specs: readonly string[];
}

const heads = (...names: string[]) => names.map((name) => `heads/${name}`);
const ALL = "refs/heads/*:refs/heads/*";
const TO_DEV = { "refs/heads/alias": "refs/heads/dev" };

export const CASES: Case[] = [
  {
    title: "a branch renamed into a directory of its name",
    before: heads("topic"),
    source: heads("topic/a"),
    specs: [":refs/heads/topic", "refs/heads/topic/a"],
  },
  {
    title: "the same, the new name first",
    before: heads("topic"),
    source: heads("topic/a"),
    specs: ["refs/heads/topic/a", ":refs/heads/topic"],
  },
  {
    title: "a branch renamed out of a directory",
    before: heads("topic/a"),
    source: heads("topic"),
    specs: ["refs/heads/topic", ":refs/heads/topic/a"],
  },
  {
    title: "a branch renamed out of a directory where another is left",
    before: heads("topic/a", "topic/b"),
    source: heads("topic"),
    specs: ["refs/heads/topic", ":refs/heads/topic/a"],
  },
  {
    title: "push --prune",
    before: heads("topic", "gone", "dir/x", "dir/y"),
    source: heads("topic/a", "dir"),
    options: ["--prune"],
    specs: [ALL],
  },
  {
    title: "push --mirror",
    before: [...heads("topic", "a/b/c"), "tags/v1"],
    source: [...heads("topic/a", "a/b"), "tags/v1/x", "notes/commits"],
    options: ["--mirror"],
    specs: [],
  },
  {
    title: "push --mirror --atomic",
    before: heads("topic"),
    source: heads("topic/a"),
    options: ["--mirror", "--atomic"],
    specs: [],
  },
  {
    title: "an atomic rename into a directory",
    before: heads("topic"),
    source: heads("topic/a", "ok"),
    options: ["--atomic"],
    specs: [":refs/heads/topic", "refs/heads/topic/a", "refs/heads/ok"],
  },
  {
    title: "a new branch below one that stays",
    before: heads("topic"),
    source: heads("topic/a", "ok"),
    specs: ["refs/heads/topic/a", "refs/heads/ok"],
  },
  {
    title: "two new branches in each other's way",
    before: [],
    source: heads("x", "y"),
    specs: ["refs/heads/x:refs/heads/a", "refs/heads/y:refs/heads/a/b"],
  },
  {
    title: "two new branches in each other's way, the longer one first",
    before: [],
    source: heads("x", "y"),
    specs: ["refs/heads/y:refs/heads/a/b", "refs/heads/x:refs/heads/a"],
  },
  {
    title: "two new branches in each other's way, atomic",
    before: [],
    source: heads("x", "y"),
    options: ["--atomic"],
    specs: ["refs/heads/x:refs/heads/a", "refs/heads/y:refs/heads/a/b"],
  },
  {
    title: "a branch moved and one made below it",
    before: heads("a"),
    source: heads("a", "y"),
    specs: ["refs/heads/a", "refs/heads/y:refs/heads/a/b"],
  },
  {
    title: "a tag that takes the place of a directory of tags",
    before: ["tags/v/1", "tags/v/2"],
    source: ["tags/v"],
    specs: ["refs/tags/v", ":refs/tags/v/1", ":refs/tags/v/2"],
  },
  {
    title: "through an alias",
    before: heads("dev"),
    aliases: { "refs/heads/alias": "refs/heads/dev" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias"],
  },
  {
    title: "through an alias that leads nowhere yet",
    before: [],
    aliases: { "refs/heads/alias": "refs/heads/later" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias"],
  },
  {
    title: "a deletion through an alias",
    before: heads("dev"),
    aliases: { "refs/heads/alias": "refs/heads/dev" },
    source: heads("x"),
    specs: [":refs/heads/alias", "refs/heads/x"],
  },
  {
    title: "through an alias for an alias",
    before: heads("dev"),
    aliases: { "refs/heads/alias": "refs/heads/dev", "refs/heads/second": "refs/heads/alias" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/second"],
  },
  {
    title: "to an alias and its target, which differ",
    before: heads("dev"),
    aliases: { "refs/heads/alias": "refs/heads/dev" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias", ":refs/heads/dev", "refs/heads/x"],
  },
  {
    title: "to an alias and its target, which differ, alone",
    before: heads("dev"),
    aliases: TO_DEV,
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias", ":refs/heads/dev"],
  },
  {
    title: "to an alias and its target, which differ, atomic",
    before: heads("dev"),
    aliases: TO_DEV,
    source: heads("x"),
    options: ["--atomic"],
    specs: ["refs/heads/x:refs/heads/alias", ":refs/heads/dev", "refs/heads/x"],
  },
  {
    title: "to an alias and its target at once",
    before: heads("dev"),
    aliases: TO_DEV,
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias", "refs/heads/x:refs/heads/dev"],
  },
  {
    title: "to an alias and its target at once, beside others, atomic",
    before: heads("dev"),
    aliases: TO_DEV,
    source: heads("x"),
    options: ["--atomic"],
    specs: ["refs/heads/x", "refs/heads/x:refs/heads/alias", "refs/heads/x:refs/heads/dev"],
  },
  {
    title: "to two aliases and their target at once",
    before: heads("dev"),
    aliases: { ...TO_DEV, "refs/heads/second": "refs/heads/alias" },
    source: heads("x"),
    specs: ["alias", "second", "dev"].map((name) => `refs/heads/x:refs/heads/${name}`),
  },
  {
    title: "of all branches, an alias among them",
    before: heads("dev"),
    aliases: TO_DEV,
    source: heads("alias", "dev", "x"),
    specs: [ALL],
  },
  {
    title: "that deletes an alias and its target",
    before: heads("dev"),
    aliases: TO_DEV,
    source: heads("x"),
    specs: [":refs/heads/alias", ":refs/heads/dev"],
  },
  {
    title: "to an alias that leads nowhere, and to there",
    before: [],
    aliases: { "refs/heads/alias": "refs/heads/later" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias", "refs/heads/x:refs/heads/later"],
  },
  {
    title: "that deletes an alias that leads nowhere",
    before: [],
    aliases: { "refs/heads/alias": "refs/heads/later" },
    source: heads("x"),
    specs: [":refs/heads/alias", "refs/heads/x"],
  },
  {
    title: "to two aliases of one branch",
    before: heads("dev"),
    aliases: { ...TO_DEV, "refs/heads/second": "refs/heads/dev" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias", "refs/heads/x:refs/heads/second", "refs/heads/x"],
  },
  {
    title: "to two aliases of one branch, atomic",
    before: heads("dev"),
    aliases: { ...TO_DEV, "refs/heads/second": "refs/heads/dev" },
    source: heads("x"),
    options: ["--atomic"],
    specs: ["refs/heads/x:refs/heads/alias", "refs/heads/x:refs/heads/second", "refs/heads/x"],
  },
  {
    title: "to two aliases of one branch, which differ",
    before: heads("dev"),
    aliases: { ...TO_DEV, "refs/heads/second": "refs/heads/dev" },
    source: heads("x"),
    specs: [":refs/heads/alias", "refs/heads/x:refs/heads/second"],
  },
  {
    title: "to an alias and the branch of HEAD behind it",
    before: [],
    aliases: { "refs/heads/alias": "refs/heads/main" },
    source: heads("x"),
    specs: ["refs/heads/x:refs/heads/alias", "refs/heads/x:refs/heads/main"],
  },
];
