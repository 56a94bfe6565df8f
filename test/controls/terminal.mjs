// Negative controls of what a terminal shows.

const text = { project: "unit", tests: "test/unit/styled.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const terminalControls = [
  {
    rule: "a stranger's text does not act on the terminal",
    patches: [
      {
        file: "src/cli/terminal/styled.ts",
        from: "if (index % 3 === 0) return visibleLines(piece);",
        to: "if (index % 3 === 0) return piece;",
      },
    ],
    ...text,
    name: "does not act on the terminal",
  },
  {
    rule: "a table fits the terminal",
    patches: [
      {
        file: "src/cli/terminal/styled.ts",
        from: "  if (columns !== undefined) narrow(widths, rows, columns);\n",
        to: "",
      },
    ],
    ...text,
    name: "fits a terminal",
  },
  {
    rule: "NO_COLOR counts more than the terminal",
    patches: [
      {
        file: "src/cli/terminal/styled.ts",
        from: "const coloured = none ? false : force",
        to: "const coloured = force",
      },
    ],
    ...text,
    name: "with the environment",
  },
  {
    rule: "a line about a wait is never wider than the terminal",
    patches: [{ file: "src/cli/terminal/progress.ts", from: "line.length > width ?", to: "line.length < 0 ?" }],
    project: "unit",
    tests: "test/unit/progress.test.ts",
    name: "stays shorter than the line",
  },
];
