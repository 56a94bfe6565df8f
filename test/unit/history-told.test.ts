import { describe, expect, it } from "vitest";
import { type Asked, toldOf } from "../torture/told.ts";

const OLD = "1".repeat(40);
const NEW = "2".repeat(40);
const asked: Asked = { ref: "refs/heads/x", believed: OLD, demanded: true, new: NEW };
const line = (flag: string, summary: string) =>
  `To http://host/x.git\n${flag}\t${NEW}:refs/heads/x\t${summary}\nDone\n`;

describe("the outcome of a push for a ref", () => {
  it.each([
    ["an update", line(" ", `${OLD}..${NEW}`), "", 0, { result: "ok", old: OLD }],
    ["a forced update", line("+", `${OLD}...${NEW} (forced update)`), "", 0, { result: "ok", old: OLD }],
    ["a new ref", line("*", "[new branch]"), "", 0, { result: "ok", old: null }],
    ["a deletion", "-\t:refs/heads/x\t[deleted]\n", "", 0, { result: "ok" }],
    [
      "one of two that worked",
      line(" ", `${OLD}..${NEW}`),
      "error: failed to push some refs",
      1,
      { result: "ok", old: OLD },
    ],
  ] as const)("%s is ok", (_, stdout, stderr, code, told) => {
    expect(toldOf(asked, stdout, stderr, code)).toEqual(told);
  });

  it.each([
    ["a stale lease", line("!", "[rejected] (stale info)"), "", { result: "failed", mismatch: true }],
    ["an update that is none", line("!", "[rejected] (non-fast-forward)"), "", { result: "failed", mismatch: true }],
    ["the rest of an atomic push", line("!", "[rejected] (atomic push failed)"), "", { result: "failed" }],
    ["a lost race on the server", line("!", "[remote rejected] (fetch first)"), "", { result: "failed" }],
    ["a refusal by the server", line("!", "[remote rejected] (locked)"), "", { result: "failed" }],
    ["a server that gave no advertisement", "", "fatal: unable to access 'http://host/': 503\n", { result: "failed" }],
  ] as const)("%s is failed", (_, stdout, stderr, told) => {
    expect(toldOf(asked, stdout, stderr, 1)).toEqual(told);
  });

  it.each([
    ["a dropped connection", "", "error: RPC failed; curl 18\nfatal: the remote end hung up unexpectedly\n", 1],
    [
      "a server error after the push was sent",
      "",
      "error: RPC failed; HTTP 503 curl 22\nfatal: the remote end hung up",
      1,
    ],
    ["a hook that died", line("!", "[remote rejected] (fail to run proc-receive hook)"), "", 1],
    ["a report that never came", line("!", "[remote failure] (remote failed to report status)"), "", 1],
    ["success followed by a hang-up", line(" ", `${OLD}..${NEW}`), "fatal: the remote end hung up unexpectedly\n", 128],
    ["a git that was killed", line(" ", `${OLD}..${NEW}`), "", null],
    ["a git that was killed before it said anything", "", "fatal: unable to access", null],
    ["another ref's line", line(" ", "x").replace("heads/x", "heads/xx"), "", 1],
  ] as const)("%s is unknown", (_, stdout, stderr, code) => {
    expect(toldOf(asked, stdout, stderr, code)).toEqual({ result: "unknown" });
  });
});
