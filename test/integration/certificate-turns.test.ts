// Credentials that go bad while a connection is open, with streams: it is cut, and a new one gets what is left.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { enqueueCommand } from "../../src/store/command/commands.ts";
import { askAll, begin, type Call, callOf, everyRpc, grpcOver, tlsTo } from "../support/certificate-asks.ts";
import {
  certifier,
  device,
  FRONT_END,
  HELD,
  OPERATOR,
  type Proven,
  type Proves,
} from "../support/certificate-kinds.ts";
import { certify, type Made, type Shown, shown } from "../support/certificate-maker.ts";
import { CertificateSite } from "../support/certificate-site.ts";
import { differences, everyCall } from "../support/certificate-tables.ts";
import { SOON } from "../support/sync-device.ts";

let site: CertificateSite;
beforeAll(async () => {
  site = await CertificateSite.make();
  await site.settled();
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

/** A credential that is good at first. */
interface Turning {
  readonly before: Proven;
  readonly shows: Shown;
  /** Makes it bad. */
  turn(): Promise<void>;
  readonly after: Proves;
}

const untilPast = async (instant: Date) =>
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(instant.getTime()), SOON);
const of = (role: string, name: string, wanted = {}) => certifier(site.authorities)(role, name, wanted);

async function trusted(role: "device" | "frontend" | "operator", name: string, wanted = {}): Promise<Made> {
  const made = await of(role, name, wanted);
  await site.trust(role, name, made);
  return made;
}

const limited =
  (access: { repositories?: string[]; readOnly?: boolean }, after: Proven) => async (): Promise<Turning> => {
    const name = access.readOnly ? "soon-read-only" : "soon-limited";
    const made = await trusted("frontend", name);
    return { before: FRONT_END, shows: shown(made), turn: () => site.trust("frontend", name, made, access), after };
  };

const TURNINGS: [string, () => Promise<Turning>][] = [
  [
    "whose key is revoked",
    async () => ({
      before: FRONT_END,
      shows: shown(await trusted("frontend", "soon-revoked")),
      turn: () => site.revoke("frontend", "soon-revoked"),
      after: "nobody",
    }),
  ],
  [
    "whose key is the old one of two, and is revoked",
    async () => {
      const old = await trusted("operator", "soon-new");
      await trusted("operator", "soon-new");
      const turn = () => site.revoke("operator", "soon-new", old);
      return { before: OPERATOR, shows: shown(old), turn, after: "nobody" };
    },
  ],
  [
    "of a device that is removed",
    async () => {
      await site.cluster.sql("insert into lockstep.device (name) values ('repo005')");
      const made = await trusted("device", "repo005");
      return { before: device(), shows: shown(made), turn: () => site.removeDevice("repo005"), after: "nobody" };
    },
  ],
  [
    "whose certificate ends",
    async () => {
      const made = await trusted("operator", "soon-ended", { ends: await lifeMs() });
      const turn = () => untilPast(made.certificate.notAfter);
      return { before: OPERATOR, shows: shown(made), turn, after: "no handshake" };
    },
  ],
  [
    "below an authority that ends",
    async () => {
      const middle = await certify({ cn: "short middle", ca: true, by: site.authorities.root, ends: await lifeMs() });
      const made = await trusted("operator", "soon-orphan", { by: middle });
      const turn = () => untilPast(middle.certificate.notAfter);
      return { before: OPERATOR, shows: shown(made, middle), turn, after: "no handshake" };
    },
  ],
  [
    "of a front end that may use only some repositories from then on",
    limited({ repositories: ["team/*"] }, { ...FRONT_END, uses: ["team/*"] }),
  ],
  ["of a front end that may only read from then on", limited({ readOnly: true }, { ...FRONT_END, readsOnly: true })],
  // The last one, since the second authority does not come back.
  [
    "of an authority that is taken away",
    async () => ({
      before: OPERATOR,
      shows: shown(await trusted("operator", "soon-foreign", { by: site.authorities.second })),
      turn: async () => site.forgetSecond(),
      after: "no handshake",
    }),
  ],
];

/** Calls whose answers do not end by themselves. */
async function endlessCalls({ role }: Proven): Promise<Call[]> {
  const id = await enqueueCommand(site.device.context.db, {
    ...{ repositoryId: site.ids[HELD]!, repository: HELD, device: "repo002", command: "sync", author: "ada" },
  });
  const rpcs = everyRpc();
  const call = (path: string, message: object) => callOf(rpcs.find((rpc) => rpc.path === path)!, message);
  return [
    call("/lockstep.v1.ClusterService/WatchCommands", { ids: [id] }),
    call("/grpc.health.v1.Health/Watch", {}),
    ...(role === "device" ? [] : [call("/lockstep.v1.ClusterService/Watch", {})]),
  ];
}

/** Opens a connection, asks everything once, and begins the calls whose answers do not end. */
async function open({ before, shows }: Pick<Turning, "before" | "shows">) {
  await site.registry.look();
  const calls = everyCall();
  const socket = await tlsTo(site.grpcPlace, shows);
  const session = grpcOver(socket);
  expect(differences(await askAll(session, calls), calls, before)).toEqual([]);
  const streams = (await endlessCalls(before)).map((call) => begin(session, call));
  for (const { outcome } of streams) expect(await outcome).toBe("answered");
  return { calls, socket, session, streams };
}

/** Returns how long a certificate lives that is to end later: five times as long as this machine needs to ask all. */
async function lifeMs(): Promise<number> {
  const made = await trusted("operator", "soon-rehearsed");
  const startedAt = performance.now();
  const { session } = await open({ before: OPERATOR, shows: shown(made) });
  session.destroy();
  // The end of a certificate is a whole second.
  return 2_000 + 5 * (performance.now() - startedAt);
}

describe("a connection that is open, with streams", () => {
  it.each(TURNINGS)("%s is cut with its streams, and a new one gets what is left", async (_, make) => {
    const { before, shows, turn, after } = await make();
    const { calls, socket, session, streams } = await open({ before, shows });
    await turn();
    // Nothing but the notification of the database, or the end of a certificate, ends them.
    await Promise.all(streams.map(({ ended }) => ended));
    await vi.waitFor(() => expect(socket.destroyed).toBe(true), SOON);
    const late = begin(session, callOf(everyRpc()[0]!));
    expect(await late.outcome).toBe("cut");
    const again = grpcOver(await tlsTo(site.grpcPlace, shows));
    expect(differences(await askAll(again, calls), calls, after)).toEqual([]);
    again.destroy();
  });
});
