import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const PROJECT = new URL("../../", import.meta.url);

it("CONTRIBUTING.md names only files and folders that exist", () => {
  const text = readFileSync(new URL("CONTRIBUTING.md", PROJECT), "utf8");
  const paths = [...text.matchAll(/\b(?:src|test|docs|migrations|native|proto|scripts|bench)\/[\w./-]*/g)].map(
    ([path]) => path,
  );
  expect(paths.length).toBeGreaterThan(20);
  // NAME and ROOM stand for what is added.
  const real = paths.map((path) => path.replace(/(NAME|ROOM).*/, "").replace(/\.$/, ""));
  expect(real.filter((path) => !existsSync(new URL(path, PROJECT)))).toEqual([]);
});
