// Every kind of credential against every RPC, and every route of the git port and the gate: over a new connection, and
// over one that tries to resume the session of somebody who is let in. The expected answers come from the table of roles and from what a credential proves.
import { afterAll, beforeAll, expect, it } from "vitest";
import { ruleOf } from "../../src/rpc/call/roles.ts";
import {
  type Answer,
  askAll,
  everyRpc,
  grpcOver,
  type Request,
  requestAll,
  sessionOf,
  tlsTo,
} from "../support/certificate-asks.ts";
import { HELD, type Kind, makeKinds, OTHER, type Proves } from "../support/certificate-kinds.ts";
import type { Shown } from "../support/certificate-maker.ts";
import { CertificateSite, LET_IN } from "../support/certificate-site.ts";
import { differences, everyCall } from "../support/certificate-tables.ts";

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

/** Words to a device that is let in: no ref has the object which it wants, or it does not want the copies. */
const AFTER_ALL = /No ref has the object|does not ask for copies/;

function atGitPort(seen: Answer | "cut"): AtPort {
  if (seen === "cut") return "cut";
  return seen.status === 403 && !AFTER_ALL.test(seen.said) ? "refused" : "answered";
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
