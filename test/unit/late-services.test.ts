import { describe, expect, it, vi } from "vitest";
import { HEALTH, Health, lateService, methodsOf, REFLECTION } from "../../src/rpc/late-services.ts";
import { addReflection } from "../../src/rpc/reflection.ts";

const health = new Health(["", "lockstep.v1.SyncService"]);

describe("a service whose library is loaded late", () => {
  it.each([
    ["health checks", HEALTH, health.addTo],
    ["reflection", REFLECTION, addReflection],
  ])("has every method of %s that the library has, of the same kind", (_, methods, addTo) => {
    const found = [...methodsOf(addTo).values()].map(({ method: { path, requestStream, responseStream } }) => {
      return { path, requestStream, responseStream };
    });
    expect(found.sort((a, b) => a.path.localeCompare(b.path))).toEqual(
      [...methods].sort((a, b) => a.path.localeCompare(b.path)),
    );
  });

  it("loads the library at the first call, once for all servers", () => {
    const addTo = vi.fn(health.addTo);
    const add = lateService(HEALTH, addTo);
    const servers = [methodsOf(add), methodsOf(add)];
    expect(addTo).not.toHaveBeenCalled();
    for (const methods of servers) {
      const { method } = methods.get("/grpc.health.v1.Health/Check")!;
      expect(method.requestDeserialize(method.requestSerialize({ service: "x" }))).toEqual({ service: "x" });
    }
    expect(addTo).toHaveBeenCalledOnce();
  });

  it("tells the status that was set before the library was loaded, and the one that was set later", async () => {
    const late = new Health([""]);
    late.setServing(true);
    const { handle } = methodsOf(lateService(HEALTH, late.addTo)).get("/grpc.health.v1.Health/Check")!;
    const check = () =>
      new Promise((resolve, reject) => {
        const answered = (error: unknown, value: unknown) => (error ? reject(error) : resolve(value));
        (handle as (...call: unknown[]) => void)({ request: { service: "" } }, answered);
      });
    expect(await check()).toEqual({ status: "SERVING" });
    late.setServing(false);
    expect(await check()).toEqual({ status: "NOT_SERVING" });
  });
});
