// What this device knows by itself, also while PostgreSQL is away.
import type { SyncContext } from "../sync/device/context.ts";
import { type Html, html } from "./parts/html.ts";
import { count, duration, since, state } from "./parts/said.ts";
import { facts } from "./parts/table.ts";

/** Makes the section about a database that does not answer, with what this device knows. */
export function databaseIsAway(
  context: SyncContext | undefined,
  { said, since: at }: { said: string; since: Date },
  read: Date | undefined,
): Html {
  const proven = context?.lease.provenForMs ?? 0;
  return html`<section aria-labelledby="away"><h2 id="away">PostgreSQL does not answer</h2>
<p>This device cannot reach the database for ${since(at)}: ${said}</p>
<p>Pushes fail until it answers, and so do reads: nobody can know whether a newer version exists. No acknowledged push is lost.
Bring PostgreSQL back. Nothing else has to be restarted.</p>
${facts([
  [
    "lease of this device",
    proven > 0
      ? state("good", `proven for ${duration(proven)} more`)
      : state("bad", "run out: another server may be the primary now"),
  ],
  ["replicas in use here", context && count(context.replicas.ids().length, "replica")],
  ["shown below", read ? html`what was read ${since(read)} ago` : "nothing: this page has not been asked before"],
])}</section>
`;
}

/** Makes the section about a replica of this device while the database is away. */
export function replicaHere(context: SyncContext | undefined, name: string): Html {
  const replica = context?.replicas.findByName(name);
  const version = replica?.applied;
  return html`<section aria-labelledby="here"><h2 id="here">What this device knows</h2>
<p>${
    version === undefined
      ? "This device has not used its replica of this repository since it started, so it knows no version of it."
      : `The replica on this device is at version ${version}. Other devices may have a newer one.`
  }</p></section>
`;
}
