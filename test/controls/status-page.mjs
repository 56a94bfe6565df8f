// Negative controls for the status page.

/** @type {import("./controls.mjs").Control[]} */
export const statusPageControls = [
  {
    rule: "the status page escapes every text",
    patches: [
      {
        file: "src/page/parts/html.ts",
        from: "replace(/[&<>\"']/g,",
        to: "replace(/[&>\"']/g,",
      },
    ],
    project: "integration",
    tests: "test/integration/status-page-viewers.test.ts",
    name: "no script, style or handler of a stranger",
  },
  {
    rule: "the status page turns no direction of text",
    patches: [{ file: "src/page/parts/html.ts", from: "return visible(String(part))", to: "return String(part)" }],
    project: "integration",
    tests: "test/integration/status-page-list.test.ts",
    name: "shows directories that the database does not know, as text",
  },
  {
    rule: "the status page is for no other host",
    patches: [
      {
        file: "src/http/status.ts",
        from: "if (foreign !== undefined) return say(response, 421, foreign);",
        to: "if (foreign !== undefined) log.warn({}, foreign);",
      },
    ],
    project: "integration",
    tests: "test/integration/status-page-viewers.test.ts",
    name: "uses a name of this server",
  },
  {
    rule: "viewers of the status page share what is read",
    patches: [
      {
        file: "src/page/parts/shared.ts",
        from: "if (kept !== undefined && kept.until > performance.now()) return await kept.answer;",
        to: "",
      },
      { file: "src/page/parts/shared.ts", from: "const kept = this.#kept.get(key);", to: "" },
    ],
    project: "unit",
    tests: "test/unit/page.test.ts",
    name: "is read once",
  },
  {
    rule: "requests for the status page are limited",
    patches: [{ file: "src/page/status-page.ts", from: "const REQUESTS = 32;", to: "const REQUESTS = 3_200;" }],
    project: "integration",
    tests: "test/integration/status-page-viewers.test.ts",
    name: "is refused while as many wait",
  },
];
