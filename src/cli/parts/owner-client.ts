// A client for commands that a sidecar may not carry out where each device has a login of its own to the database.
import type { Client } from "../../client/client.ts";
import { readUrlFile } from "../../settings/read-config.ts";
import type { Run } from "../terminal/command.ts";

export type ChangeClient = Pick<Client, "call"> & AsyncDisposable;

/** Returns a client of the sidecar on this machine; with --owner-url-file one that works on the database itself. */
export async function connectToChange(run: Run): Promise<ChangeClient> {
  const file = run.config["owner-url-file"];
  if (file === undefined) {
    const client = await run.connect();
    return {
      call: (name, request, options) => client.call(name, request, options),
      [Symbol.asyncDispose]: async () => client[Symbol.dispose](),
    };
  }
  const { Database } = await import("../../store/database/database.ts");
  const { callAsOwner } = await import("../../rpc/owner-calls.ts");
  const db = new Database({ url: readUrlFile(file, run.host.env), applicationName: "lockstep operator" });
  return {
    call: async (name, request) => (await callAsOwner(db, name, request as object, run.host.stop)) as never,
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}
