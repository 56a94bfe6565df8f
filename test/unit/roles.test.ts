import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PROTO_DIR } from "../../src/installation.ts";
import { loadServices } from "../../src/protocol/proto.ts";
import { type CallerLimits, checkLimits } from "../../src/rpc/call/limits.ts";
import { checkRoles, ruleFor, ruleOf } from "../../src/rpc/call/roles.ts";
import type { Role } from "../../src/tls/identity.ts";

const services = loadServices();
const paths = Object.values(services).flatMap(({ service }) => Object.values(service).map(({ path }) => path));
const complete = Object.fromEntries(paths.map((path) => [path, ["operator"] as const]));
const mayAll = (role: Role) => paths.filter((path) => ruleFor(role, path) !== undefined);

describe("checkRoles", () => {
  it("passes for the services as they are", () => {
    expect(paths.length).toBeGreaterThan(0);
    expect(() => checkRoles(services)).not.toThrow();
    expect(() => checkRoles(services, complete)).not.toThrow();
  });

  it.each(paths)("throws when %s is not classified", (path) => {
    const { [path]: _, ...rest } = complete;
    expect(() => checkRoles(services, rest)).toThrow(`missing ${path}; unknown none`);
  });

  it("throws when the table has an RPC that no service has", () => {
    const path = "/lockstep.v1.SyncService/Gone";
    expect(() => checkRoles(services, { ...complete, [path]: ["operator"] })).toThrow(`missing none; unknown ${path}`);
  });
});

describe("checkLimits", () => {
  const web = { role: "frontend" as const, name: "web" };
  const limits = (repositories: string[], readOnly = false): CallerLimits => ({
    accessOf: () => ({ repositories, readOnly }),
    holds: async (device, repository) => device === "repo002" && repository === "team/app",
  });
  const asks = async (rpc: string, request: object, of: CallerLimits, caller: { role: Role; name: string } = web) => {
    const path = paths.find((each) => each.endsWith(`/${rpc}`)) as string;
    return await checkLimits(caller, ruleOf(path)!, request, of).then(
      () => "may",
      (error: { code: string }) => error.code,
    );
  };

  it.each([
    ["BeforeRead", { repository: "team/app" }, "may"],
    ["BeforeRead", { repository: "other/app" }, "PERMISSION_DENIED"],
    ["BeforeRead", { repository: "team" }, "PERMISSION_DENIED"],
    ["BeforeRead", {}, "PERMISSION_DENIED"],
    ["BeginWrite", { repository: "team/app" }, "may"],
    ["BumpVersion", { repository: "other/app" }, "PERMISSION_DENIED"],
    ["ReportDamage", { repository: "other/app" }, "PERMISSION_DENIED"],
    ["ReportRefusals", { refused: [] }, "PERMISSION_DENIED"],
    ["GetStatus", {}, "PERMISSION_DENIED"],
    ["ListCommands", {}, "PERMISSION_DENIED"],
    ["ListDevices", {}, "may"],
    ["ListRepositories", {}, "may"],
    ["Watch", { repositories: [] }, "PERMISSION_DENIED"],
    ["Watch", { repositories: ["*"] }, "PERMISSION_DENIED"],
    ["Watch", { repositories: ["team/*"] }, "may"],
    ["Watch", { repositories: ["team/a*", "one"] }, "may"],
    ["Watch", { repositories: ["team/a*", "t?am/b"] }, "PERMISSION_DENIED"],
    ["Watch", { repositories: ["on*"] }, "PERMISSION_DENIED"],
  ])("a front end that may use team/* and on? asks %s %j: %s", async (rpc, request, answer) => {
    expect(await asks(rpc, request, limits(["team/*", "on?"]))).toBe(answer);
  });

  it("a front end that may only read neither writes nor asks for a push", async () => {
    const readOnly = limits([], true);
    const one = { repository: "team/app" };
    for (const rpc of ["BeginWrite", "RenewWrite", "BumpVersion", "AbortWrite"])
      expect(await asks(rpc, one, readOnly), rpc).toBe("PERMISSION_DENIED");
    expect(await asks("BeforeRead", { ...one, forPush: true }, readOnly)).toBe("PERMISSION_DENIED");
    for (const rpc of ["BeforeRead", "GetWrite", "ListLog", "GetStatus"])
      expect(await asks(rpc, one, readOnly), rpc).toBe("may");
  });

  it("a device asks only about repositories that it holds, an operator about all", async () => {
    const device = { role: "device" as const, name: "repo002" };
    expect(await asks("FetchFrom", { repository: "team/app" }, limits([]), device)).toBe("may");
    for (const rpc of ["FetchFrom", "GetVersion", "BeforeRead", "ListLog", "GetRepository"])
      expect(await asks(rpc, { repository: "other/app" }, limits([]), device), rpc).toBe("PERMISSION_DENIED");
    const olga = { role: "operator" as const, name: "olga" };
    expect(await asks("FetchFrom", { repository: "other/app" }, limits(["team/*"], true), olga)).toBe("may");
  });

  it("a glob of many stars is compared in a moment", async () => {
    const stars = limits([`${"*a".repeat(90)}b`]);
    expect(await asks("BeforeRead", { repository: "a".repeat(200) }, stars)).toBe("PERMISSION_DENIED");
  });
});

describe("every RPC", () => {
  const proto = ["sync", "cluster"]
    .map((name) => readFileSync(`${PROTO_DIR}/lockstep/v1/${name}.proto`, "utf8"))
    .join();
  const requestOf = (path: string) =>
    new RegExp(`^message ${path.split("/").at(-1)}Request \\{([^}]*)`, "m").exec(proto)?.[1] ?? "";

  it("every RPC that front ends may call and that names a repository is checked by that name", () => {
    const naming = paths.filter((path) => /^ *string repository = /m.test(requestOf(path)));
    expect(naming.length).toBeGreaterThan(10);
    for (const path of naming)
      if (ruleFor("frontend", path)) expect(["one", "cluster"], path).toContain(ruleOf(path)?.scope);
  });

  it("every RPC that operates is for operators only", () => {
    for (const path of paths)
      if (ruleOf(path)?.does.startsWith("operates")) expect(ruleOf(path)?.roles).toEqual(["operator"]);
  });
});

describe("ruleFor", () => {
  it("lets an operator call everything", () => {
    expect(mayAll("operator")).toEqual(paths);
  });

  it("lets a device neither write nor administer", () => {
    const allowed = mayAll("device").map((path) => path.replace(/.*\//, ""));
    expect(allowed).toContain("BeforeRead");
    expect(allowed.filter((name) => !/^(Get|List|Watch|BeforeRead$|FetchFrom$)/.test(name))).toEqual([]);
  });

  it("lets a front end write but not administer", () => {
    const allowed = mayAll("frontend").map((path) => path.replace(/.*\//, ""));
    expect(allowed).toEqual(expect.arrayContaining(["BeforeRead", "BeginWrite", "BumpVersion", "AbortWrite"]));
    expect(allowed).not.toContain("CreateRepository");
  });

  it("refuses every caller an RPC that the table lacks", () => {
    for (const role of ["device", "frontend", "operator"] as const) {
      expect(ruleFor(role, "/lockstep.v1.SyncService/Gone")).toBeUndefined();
      expect(ruleFor(role, "/constructor")).toBeUndefined();
    }
  });
});
