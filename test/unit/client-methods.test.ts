// The methods of the client that `npm run generate` writes from the protocol.
import { expect, it } from "vitest";
import { type CallOptions, Methods, type Repeats } from "../../src/generated/methods.ts";
import { loadServices } from "../../src/protocol/proto.ts";

/** Notes what each method calls. */
class Notes extends Methods {
  readonly called: { name: string; repeats?: Repeats }[] = [];

  protected override async unary<Request, Response>(name: string, _: Request, __: CallOptions, repeats: Repeats) {
    this.called.push({ name, repeats });
    return undefined as Response;
  }

  protected override async *streaming<Request, Response>(name: string, _: Request): AsyncGenerator<Response> {
    this.called.push({ name });
    yield undefined as Response;
  }
}

const RPCS = Object.values(loadServices()).flatMap(({ service }) => Object.values(service));

async function called(rpc: (typeof RPCS)[number]): Promise<Notes["called"]> {
  const notes = new Notes();
  const method = (notes as unknown as Record<string, (request: object) => unknown>)[rpc.originalName ?? ""];
  expect(method, `there is no method ${rpc.originalName}`).toBeDefined();
  const answer = method!.call(notes, {});
  if (rpc.responseStream) for await (const _ of answer as AsyncIterable<unknown>);
  else await answer;
  return notes.called;
}

it("there is a method for each RPC, which calls it, and a stream where it streams", async () => {
  expect(RPCS.length).toBeGreaterThan(40);
  for (const rpc of RPCS) {
    const name = rpc.path.split("/").at(-1);
    const kind = rpc.responseStream ? {} : { repeats: expect.any(String) };
    expect(await called(rpc)).toEqual([{ name, ...kind }]);
  }
});

it("the calls are known that are never repeated, and those that are after a lost connection", async () => {
  const all = (await Promise.all(RPCS.map(called))).flat();
  const those = (repeats: Repeats) => all.filter((call) => call.repeats === repeats).map(({ name }) => name);
  expect(those("never").sort()).toEqual(["AddHook", "CreateRepository", "Thaw"]);
  const always = those("always");
  expect(always).toEqual(
    expect.arrayContaining(["BeforeRead", "GetVersion", "ListDevices", "RenewWrite", "BumpVersion"]),
  );
  // Without an id that its caller chose, a second BeginWrite begins a second session.
  for (const changes of ["BeginWrite", "UndoVersion", "RemoveDevice", "MakeEnrollToken"])
    expect(always).not.toContain(changes);
});
