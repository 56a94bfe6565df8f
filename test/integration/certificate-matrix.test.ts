// Every kind of credential against every RPC, and every route of the git port and the gate: over a new connection, over
// one that tries to resume the session of somebody who is let in, and over one that was open before the credential went
// bad. The expected answers come from the table of roles and from what a credential proves.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ruleOf } from "../../src/rpc/call/roles.ts";
import { enqueueCommand } from "../../src/store/command/commands.ts";
import {
  type Answer,
  askAll,
  begin,
  type Call,
  callOf,
  everyRpc,
  grpcOver,
  type Outcome,
  type Request,
  requestAll,
  sessionOf,
  tlsTo,
} from "../support/certificate-asks.ts";
import {
  certifier,
  device,
  FRONT_END,
  HELD,
  type Kind,
  makeKinds,
  OPERATOR,
  OTHER,
  type Proven,
  type Proves,
} from "../support/certificate-kinds.ts";
import { certify, type Made, type Shown, shown } from "../support/certificate-maker.ts";
import { CertificateSite, LET_IN } from "../support/certificate-site.ts";
import { SOON } from "../support/sync-device.ts";

/** Thousands of calls, on a busy machine. */
const PATIENCE_MS = 600_000;

let site: CertificateSite;
let kinds: Kind[];
beforeAll(async () => {
  site = await CertificateSite.make();
  kinds = await makeKinds(site.authorities, site);
  await site.settled();
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

interface Asked extends Call {
  /** The repository that the request names. undefined: it names none. */
  readonly repository?: string;
}

/** Fields that keep a call from waiting, and from changing anything. */
const FIELDS: Readonly<Record<string, object>> = { BeginWrite: { writeId: "no id" } };

/** Each RPC once; those that are about one repository, or about listed ones, for each of the two repositories. */
function everyCall(): Asked[] {
  return everyRpc().flatMap((rpc) => {
    const scope = ruleOf(rpc.path)?.scope;
    const fields = FIELDS[rpc.path.split("/").at(-1) ?? ""];
    const forRepository = (repository: string): Asked => ({
      ...callOf(rpc, { ...(scope === "one" ? { repository } : { repositories: [repository] }), ...fields }),
      repository,
    });
    return scope === "one" || scope === "listed" ? [HELD, OTHER].map(forRepository) : [callOf(rpc, fields)];
  });
}

/** What the rules answer to a caller with a certificate. */
function ruled({ role, holds = [], uses, readsOnly = false }: Proven, { path, repository = "" }: Asked): Outcome {
  const rule = ruleOf(path);
  // Health and reflection tell no secret, and are open to every valid certificate.
  if (rule === undefined) return /^\/grpc\.(health|reflection)\./.test(path) ? "answered" : "PERMISSION_DENIED";
  const { roles, does, scope } = rule;
  const isTheirs =
    uses === undefined ||
    uses.some((each) => each === repository || (each === "team/*" && repository.startsWith("team/")));
  const refused =
    !roles.includes(role) ||
    (role === "device" && scope === "one" && !holds.includes(repository)) ||
    (readsOnly && does === "writes") ||
    (uses !== undefined && scope === "cluster") ||
    ((scope === "one" || scope === "listed") && !isTheirs);
  return refused ? "PERMISSION_DENIED" : "answered";
}

function expected(proves: Proves, call: Asked): Outcome {
  if (proves === "no handshake") return "cut";
  if (proves !== "nobody") return ruled(proves, call);
  return ruleOf(call.path) === undefined ? "answered" : "UNAUTHENTICATED";
}

/** The routes of the git port. */
function gitRoutes(): (Request & { repository: string; copies?: boolean })[] {
  return [HELD, OTHER].flatMap((repository) => {
    const wants = ["0".repeat(40)];
    const body = JSON.stringify({ repositoryId: site.ids[repository], wants, haves: [], refs: [] });
    const type = "application/x-git-upload-pack-request";
    return [
      { repository, method: "POST", path: "/v1/pack", body },
      { repository, method: "POST", path: "/v1/hold", body, copies: true },
      { repository, method: "POST", path: "/v1/directory", body: JSON.stringify({ repository }) },
      { repository, method: "GET", path: `/${repository}.git/info/refs?service=git-upload-pack` },
      { repository, method: "POST", path: `/${repository}.git/git-upload-pack`, body: "0000", type },
    ] as const;
  });
}

type AtPort = "cut" | "refused" | "answered";

/** A device that is let in is told that no ref has the object which it wants. */
function atGitPort(seen: Answer | "cut"): AtPort {
  if (seen === "cut") return "cut";
  return seen.status === 403 && !seen.said.includes("No ref has the object") ? "refused" : "answered";
}

/** The gate refuses in git's own words where git would not show the status. */
function atGate(seen: Answer | "cut"): AtPort {
  return seen === "cut" ? "cut" : seen.said.includes(LET_IN) ? "answered" : "refused";
}

function gitTable(proves: Proves, routes: ReturnType<typeof gitRoutes>): AtPort[] {
  return routes.map(({ repository, copies = false }) => {
    if (proves === "no handshake") return "cut";
    if (proves === "nobody" || proves.role !== "device") return "refused";
    return proves.holds?.includes(repository) && (!copies || proves.lives) ? "answered" : "refused";
  });
}

const GATE_ROUTES: Request[] = [
  { method: "GET", path: `/${HELD}.git/info/refs?service=git-upload-pack` },
  { method: "GET", path: `/${HELD}.git/info/refs?service=git-receive-pack` },
  { method: "POST", path: `/${HELD}.git/git-upload-pack`, body: "0000", type: "application/x-git-upload-pack-request" },
  {
    method: "POST",
    path: `/${HELD}.git/git-receive-pack`,
    body: "0000",
    type: "application/x-git-receive-pack-request",
  },
];

/** The gate knows the authority and the common name, not the registry. */
const gateTable = ({ proves, user }: Kind): AtPort[] =>
  GATE_ROUTES.map(() => (proves !== "no handshake" && user !== undefined ? "answered" : "refused"));

/** Asks everything of everything with a credential, and returns what differs from the tables. */
async function asked(kind: Kind, sessions?: Sessions): Promise<string[]> {
  // Nothing else in this test makes the copy of the registry young again.
  await site.registry.look();
  const { title, shows, proves } = kind;
  const [calls, routes] = [everyCall(), gitRoutes()];
  const socket = await tlsTo(site.grpcPlace, shows, { session: sessions?.grpc });
  const session = grpcOver(socket);
  const atGrpc = await askAll(session, calls);
  const resumed = socket.isSessionReused() === true;
  session.destroy();
  const atGit = await requestAll(site.gitPlace, shows, routes, sessions?.git);
  const gate = await requestAll(site.gatePlace, shows, GATE_ROUTES, sessions?.gate);
  const should = gitTable(proves, routes);
  return [
    ...differences(atGrpc, calls, proves),
    ...routes.flatMap(({ path }, at) => different(`git port ${path}`, atGitPort(atGit.outcomes[at]!), should[at]!)),
    ...GATE_ROUTES.flatMap(({ path }, at) =>
      different(`gate ${path}`, atGate(gate.outcomes[at]!), gateTable(kind)[at]!),
    ),
    ...[resumed, atGit.resumed, gate.resumed].flatMap((each, at) => (each ? [`connection ${at} was resumed`] : [])),
  ].map((difference) => `${title}: ${difference}`);
}

type Sessions = Readonly<Record<"grpc" | "git" | "gate", Buffer | undefined>>;

function differences(seen: readonly Outcome[], calls: readonly Asked[], proves: Proves): string[] {
  return calls.flatMap((call, at) => {
    const should = expected(proves, call);
    return seen[at] === should ? [] : [`${call.path} ${call.repository ?? ""}: ${seen[at]}, not ${should}`];
  });
}

function different(what: string, seen: AtPort, should: AtPort): string[] {
  return seen === should ? [] : [`${what}: ${seen}, not ${should}`];
}

async function askedOfAll(sessions?: Sessions): Promise<string[]> {
  const wrong: string[] = [];
  for (const kind of kinds) wrong.push(...(await asked(kind, sessions)));
  return wrong;
}

it("every RPC of the protocol has a rule, and there are many kinds of credential", () => {
  const ours = everyRpc().filter(({ type }) => type !== undefined);
  expect(ours.filter(({ path }) => ruleOf(path) === undefined)).toEqual([]);
  expect(ours.length).toBeGreaterThanOrEqual(50);
  expect(new Set(kinds.map(({ title }) => title)).size).toBe(kinds.length);
  expect(kinds.length).toBeGreaterThan(50);
});

it(
  "over a new connection, each kind of credential gets what it proves, from every RPC and every route",
  async () => {
    expect(await askedOfAll()).toEqual([]);
  },
  PATIENCE_MS,
);

it(
  "over a connection that resumes the session of somebody who is let in, each kind gets the same",
  async () => {
    const of = (title: string) => kinds.find((kind) => kind.title === title)?.shows as Shown;
    const [olga, two] = [of("an operator"), of("a device that holds a repository")];
    const sessions = {
      grpc: await sessionOf(site.grpcPlace, olga, "h2"),
      git: await sessionOf(site.gitPlace, two),
      gate: await sessionOf(site.gatePlace, olga),
    };
    expect(Object.values(sessions).map((session) => session !== undefined)).toEqual([true, true, true]);
    expect(await askedOfAll(sessions)).toEqual([]);
  },
  PATIENCE_MS,
);

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
      const made = await trusted("operator", "soon-ended", { ends: LIFE_MS });
      const turn = () => untilPast(made.certificate.notAfter);
      return { before: OPERATOR, shows: shown(made), turn, after: "no handshake" };
    },
  ],
  [
    "below an authority that ends",
    async () => {
      const middle = await certify({ cn: "short middle", ca: true, by: site.authorities.root, ends: LIFE_MS });
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

/** The certificates that end do so after this time. Until then everything is asked once. */
const LIFE_MS = 8_000;

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

describe("a connection that is open, with streams", () => {
  it.each(TURNINGS)("%s is cut with its streams, and a new one gets what is left", async (_, make) => {
    const { before, shows, turn, after } = await make();
    await site.registry.look();
    const calls = everyCall();
    const socket = await tlsTo(site.grpcPlace, shows);
    const session = grpcOver(socket);
    expect(differences(await askAll(session, calls), calls, before)).toEqual([]);
    const streams = (await endlessCalls(before)).map((call) => begin(session, call));
    for (const { outcome } of streams) expect(await outcome).toBe("answered");
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
