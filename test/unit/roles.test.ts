import { describe, expect, it } from "vitest";
import { loadServices } from "../../src/protocol/proto.ts";
import { checkRoles, mayCall } from "../../src/rpc/call/roles.ts";
import type { Role } from "../../src/tls/identity.ts";

const services = loadServices();
const paths = Object.values(services).flatMap(({ service }) => Object.values(service).map(({ path }) => path));
const complete = Object.fromEntries(paths.map((path) => [path, ["operator"] as const]));
const mayAll = (role: Role) => paths.filter((path) => mayCall(role, path));

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

describe("mayCall", () => {
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
      expect(mayCall(role, "/lockstep.v1.SyncService/Gone")).toBe(false);
      expect(mayCall(role, "/constructor")).toBe(false);
    }
  });
});
