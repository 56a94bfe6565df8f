import { describe, expect, it } from "vitest";
import { shown } from "../../src/cli/terminal/styled.ts";
import { type Facts, verdictOf } from "../../src/cli/text/status-verdict.ts";

const DEVICE = { name: "a", state: "live", live: true, disk: null };
const WELL: Facts = {
  ...{ devices: [DEVICE], repositories: [], write_locks: [], waiting_keys: [] },
  ...{ revoked_keys: [], scrubs: [], warnings: [] },
};
const NAMES = { behind: [], broken: [], leaders: ["a"] };
const REPOSITORY = { name: "team/app", ...NAMES, unsafe: false, stuck: false, stopped: null };
const verdict = (more: Partial<Facts>) => shown(verdictOf({ ...WELL, ...more }), { coloured: false, columns: 80 });
const repository = (more: object) => ({ repositories: [{ ...REPOSITORY, ...more }] });

describe("the first line of status", () => {
  it("says that all is well, also while devices catch up or a device was removed", () => {
    expect(verdict({})).toBe("All is well: one device is live.");
    const devices = ["live", "live", "draining", "removed"].map((state, index) => ({
      ...DEVICE,
      name: String(index),
      state,
    }));
    expect(verdict({ devices, ...repository({ behind: ["b"], unsafe: true }) })).toBe(
      "All is well: 2 devices are live. Devices catch up with one repository.",
    );
  });

  it.each([
    [{ devices: [{ ...DEVICE, state: "down", live: false }] }, "a: down; start `lockstep serve` there"],
    [
      { devices: [{ ...DEVICE, disk: { state: "little" } }] },
      "a: the disk is nearly full; make room, or take pushes away with `lockstep device drain NAME`",
    ],
    [{ devices: [{ ...DEVICE, state: "draining", disk: { state: "too_little" } }] }, "a: the disk is nearly full"],
    [repository({ stopped: "lost writes" }), "team/app: stopped, and needs your decision; see `lockstep thaw NAME`"],
    [repository({ stuck: true, unsafe: true }), "team/app: stuck: the devices with the newest version are down"],
    [
      repository({ stuck: true, unsafe: true, behind: ["a", "b"], leaders: [] }),
      "team/app: no device has the newest version; start a device that has it, or see `lockstep thaw NAME`",
    ],
    [repository({ broken: ["b"] }), "team/app: broken on a device; `lockstep repo show NAME` says why"],
    [repository({ unsafe: true }), "team/app: on one device only"],
    [
      { write_locks: [1] },
      "Writes are stopped by an operator; `lockstep write-lock --disable [NAME…]` allows them again",
    ],
    [{ waiting_keys: [1] }, "Keys wait to be let in; `lockstep device trust NAME`"],
    [{ revoked_keys: [1] }, "Somebody uses revoked keys"],
    [{ scrubs: [1] }, "Replicas are damaged"],
    [{ warnings: ["x"] }, "Certificates or settings need care"],
  ])("names what needs a person, with the remedy: %j", (facts, line) => {
    expect(verdict(facts as Partial<Facts>)).toMatch(/^One thing needs you:\n {2}- /);
    expect(verdict(facts as Partial<Facts>)).toContain(line);
  });

  it("asks nobody for room on a disk that has gigabytes, nor on one of which nothing is known since it is down", () => {
    expect(verdict({ devices: [{ ...DEVICE, disk: { state: "low" } }] })).toBe("All is well: one device is live.");
    const down = { ...DEVICE, state: "down", live: false, disk: { state: "too_little" as const } };
    expect(verdict({ devices: [down] })).not.toContain("nearly full");
  });

  it("names three repositories, and counts the others", () => {
    const repositories = ["a", "b", "c", "d", "e"].map((name) => ({ ...REPOSITORY, name, stopped: "x" }));
    expect(verdict({ repositories, scrubs: [1] })).toMatch(/^2 things need you:\n {2}- a, b, c and 2 more: stopped/);
  });
});
