// Health checks and reflection: services of libraries that are loaded at the first call. Loading both was a third of
// the work of a sidecar's start, and many sidecars are never asked.
import { createRequire } from "node:module";
import type { MethodDefinition, Server, UntypedHandleCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { HealthImplementation } from "grpc-health-check";

type Status = "SERVING" | "NOT_SERVING";
type Method = Pick<MethodDefinition<unknown, unknown>, "path" | "requestStream" | "responseStream">;
type AddTo = (server: Pick<Server, "addService">) => void;

const unary = (path: string): Method => ({ path, requestStream: false, responseStream: false });
/** The methods of each service. Its library knows the rest. */
export const HEALTH: readonly Method[] = [
  unary("/grpc.health.v1.Health/Check"),
  { ...unary("/grpc.health.v1.Health/Watch"), responseStream: true },
  unary("/grpc.health.v1.Health/List"),
];
export const REFLECTION: readonly Method[] = ["v1", "v1alpha"].map((version) => ({
  path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  requestStream: true,
  responseStream: true,
}));

/** Loads a library while a call is answered, which cannot wait for `import`. */
const load = createRequire(import.meta.url);

/** The health of the services, for all servers of the process. */
export class Health {
  readonly #statuses: Record<string, Status>;
  #library: HealthImplementation | undefined;

  /** Every service of `names` has the status NOT_SERVING at first. */
  constructor(names: readonly string[]) {
    this.#statuses = Object.fromEntries(names.map((name) => [name, "NOT_SERVING"]));
  }

  /** Sets the status of all services. */
  setServing(serving: boolean): void {
    for (const name of Object.keys(this.#statuses)) {
      this.#statuses[name] = serving ? "SERVING" : "NOT_SERVING";
      this.#library?.setStatus(name, this.#statuses[name]);
    }
  }

  readonly addTo: AddTo = (server) => {
    const { HealthImplementation } = load("grpc-health-check") as typeof import("grpc-health-check");
    this.#library ??= new HealthImplementation(this.#statuses);
    this.#library.addToServer(server as Server);
  };
}

/** Returns a function that adds the methods to a server. The first call of one of them calls `addTo`, once. */
export function lateService(methods: readonly Method[], addTo: AddTo): (server: Pick<Server, "addService">) => void {
  let found: Map<string, Found> | undefined;
  const find = (path: string): Found => {
    found ??= methodsOf(addTo);
    return found.get(path) as Found;
  };
  const definition: Record<string, MethodDefinition<unknown, unknown>> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const method of methods) {
    const { path } = method;
    definition[path] = {
      ...method,
      requestSerialize: (value: unknown) => find(path).method.requestSerialize(value),
      requestDeserialize: (bytes) => find(path).method.requestDeserialize(bytes),
      responseSerialize: (value: unknown) => find(path).method.responseSerialize(value),
      responseDeserialize: (bytes) => find(path).method.responseDeserialize(bytes),
    };
    handlers[path] = (...call: unknown[]) => (find(path).handle as (...call: unknown[]) => unknown)(...call);
  }
  return (server) => void server.addService(definition, handlers);
}

interface Found {
  readonly method: MethodDefinition<unknown, unknown>;
  readonly handle: UntypedHandleCall;
}

/** Returns by their paths the methods that `addTo` adds to a server. */
export function methodsOf(addTo: AddTo): Map<string, Found> {
  const found = new Map<string, Found>();
  const addService: Server["addService"] = (service, handlers) => {
    for (const [name, method] of Object.entries(service)) {
      const handle = handlers[name] ?? handlers[method.originalName ?? ""];
      if (handle) found.set(method.path, { method, handle });
    }
  };
  addTo({ addService });
  return found;
}
