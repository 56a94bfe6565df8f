import { readFileSync } from "node:fs";
import { expect, expectTypeOf, it } from "vitest";
import { ERROR_TABLE } from "../../src/errors.ts";
import { PROTO_DIR } from "../../src/installation.ts";
import { loadServices } from "../../src/protocol/proto.ts";
import type { CallOptions } from "../../src/rpc/call/call.ts";
import type { RpcPath, SyncHandlers } from "../../src/rpc/call/rpc-names.ts";
import { clusterHandlers, syncHandlers } from "../../src/rpc/handlers.ts";
import type { SyncContext } from "../../src/sync/device/context.ts";

const FILES = ["sync.proto", "cluster.proto"] as const;

/** Each RPC of a protocol file with the comment above it. */
function rpcsOf(file: string): { name: string; comment: string }[] {
  const text = readFileSync(`${PROTO_DIR}/lockstep/v1/${file}`, "utf8");
  return [...text.matchAll(/((?:^ {2}\/\/.*\n)*)^ {2}rpc (\w+)/gm)].map(([, comment = "", name = ""]) => ({
    name,
    comment: comment.replaceAll(/\n? *\/\/ ?/g, " ").trim(),
  }));
}

it("every RPC of the protocol has a handler, and there is no other", () => {
  const context = {} as SyncContext;
  const handled = { ...syncHandlers(context, {} as CallOptions), ...clusterHandlers(context, {} as CallOptions) };
  const services = Object.values(loadServices()).flatMap(({ service }) => Object.keys(service));
  expect(Object.keys(handled).sort()).toEqual(services.sort());
});

it("a missing handler, an unknown handler and a handler of the wrong type do not compile", () => {
  expectTypeOf<SyncHandlers>().not.toExtend<Record<"Gone", unknown>>();
  const { GetWrite: _, ...rest } = {} as SyncHandlers;
  // @ts-expect-error GetWrite is missing
  rest satisfies SyncHandlers;
  // @ts-expect-error the protocol has no Gone
  ({ ...rest, GetWrite: _, Gone: _ }) satisfies SyncHandlers;
  // @ts-expect-error what streams does not answer once
  ({ ...rest, GetWrite: rest.FetchFrom }) satisfies SyncHandlers;
});

it("an RPC without a role does not compile", () => {
  expectTypeOf<"/lockstep.v1.ClusterService/Thaw">().toExtend<RpcPath>();
  expectTypeOf<"/lockstep.v1.SyncService/Thaw">().not.toExtend<RpcPath>();
  const roles = {} as Record<RpcPath, readonly string[]>;
  const { "/lockstep.v1.ClusterService/Thaw": _, ...rest } = roles;
  // @ts-expect-error Thaw is missing
  rest satisfies Record<RpcPath, readonly string[]>;
});

it.each(FILES.flatMap(rpcsOf))("$name says above it what it does and which errors it has", ({ comment }) => {
  const [what, errors] = comment.split("Errors: ");
  expect(what).not.toBe("");
  expect(errors, "add a line `// Errors: …`").toBeDefined();
});

it.each(FILES.flatMap(rpcsOf))("$name names only error codes that docs/operations.md explains", ({ comment }) => {
  const errors = comment.split("Errors: ")[1] ?? "";
  const codes = [...errors.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([code]) => code);
  expect(codes.filter((code) => !Object.hasOwn(ERROR_TABLE, code))).toEqual([]);
});
