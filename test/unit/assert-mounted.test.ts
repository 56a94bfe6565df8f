import { expect, it } from "vitest";
import { whereIs } from "../../src/git/root/mount-point.ts";
import { lacksItsDisk } from "../../src/sync/place/assert-root.ts";

const PATH = "/srv/git";

it.each<[string, boolean, string, string, boolean, string | undefined]>([
  ["an empty directory where a disk was mounted", true, PATH, "/", false, "1 9"],
  ["a directory that is not there, on a disk that is not mounted", true, "/srv", "/", false, undefined],
  ["an empty directory that is another one than before", true, "/", "/", false, "1 9"],
  ["a new disk, which is mounted", false, PATH, PATH, true, "3 2"],
  ["a disk that is mounted where none was", false, "/", PATH, true, "3 2"],
  ["a directory whose files were removed", false, "/", "/", false, "1 5"],
  ["a directory that was removed", false, "/", "/", false, undefined],
])("tells %s by where the root was: %s", (_, lacks, before, mount, mounted, place) => {
  const was = { path: PATH, mount: before, place: "1 5" };
  expect(lacksItsDisk(was, { path: PATH, mount, mounted, place })).toBe(lacks);
  expect(lacksItsDisk({ ...was, path: "/srv/other" }, { path: PATH, mount, mounted, place })).toBe(false);
});

it("finds where the file system of a path begins", async () => {
  expect(await whereIs("/proc")).toMatchObject({ mount: "/proc", mounted: true });
  expect(await whereIs("/proc/sys/kernel")).toMatchObject({ mount: "/proc", mounted: false });
  expect(await whereIs("/proc/there/is/none")).toEqual({ mount: "/proc", mounted: false, place: undefined });
});
