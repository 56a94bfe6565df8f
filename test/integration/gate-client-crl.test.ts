// Users of a gate whose certificates were revoked or have ended. The lists are those that any authority makes.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { certify, type Made, SERVER, type Shown, shown } from "../support/certificate-maker.ts";
import { SOON } from "../support/gate-site.ts";
import { TlsGate, type TlsGateFile } from "../support/tls-gate.ts";

const HOUR = 3_600_000;

let users: Made;
let ada: Made;
let grace: Made;
let own: Record<"gate.pem" | "gate.key" | "users.pem", string>;

beforeEach(async () => {
  users = await certify({ cn: "users", ca: true, usage: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign });
  [ada, grace] = [await certify({ cn: "ada", by: users }), await certify({ cn: "grace", by: users })];
  const server = shown(await certify({ cn: "gate", uses: SERVER }));
  own = { "gate.pem": server.cert, "gate.key": server.key, "users.pem": pem(users) };
});

const pem = ({ certificate }: Made) => `${certificate.toString("pem")}\n`;

/** Returns a list of an authority in PEM. It ends so many milliseconds from now. */
async function list(by: Made, revoked: readonly Made[], ends = HOUR): Promise<string> {
  const made = await x509.X509CrlGenerator.create({
    issuer: by.certificate.subjectName,
    thisUpdate: new Date(Date.now() - HOUR),
    nextUpdate: new Date(Date.now() + ends),
    entries: revoked.map(({ certificate: { serialNumber } }) => ({ serialNumber, revocationDate: new Date() })),
    signingKey: by.keys.privateKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  // The library writes "CRL", and everybody else "X509 CRL".
  return `${made.toString("pem").replaceAll(" CRL-", " X509 CRL-")}\n`;
}

let gate: TlsGate;
const start = async (files: Partial<Record<TlsGateFile, string>>, options = {}) => {
  gate = await TlsGate.make({ ...own, ...files }, options);
};
afterEach(async () => void (await gate?.[Symbol.asyncDispose]()));

const ask = async (user: Shown) => {
  using once = gate.user(user);
  return await once.ask();
};
const REVOKED = { status: 403, said: expect.stringContaining("does not let you in: it was revoked") };

describe("a user whose certificate is in the list of --gate-client-crl", () => {
  it("is refused with a sentence, and the other users are let in", async () => {
    await start({ "users.crl": await list(users, [grace]) });
    expect(await ask(shown(grace))).toMatchObject(REVOKED);
    expect(await ask(shown(ada))).toMatchObject({ status: 200 });
    const refused = gate.logged.find(({ msg }) => msg === "request refused");
    expect(JSON.stringify(refused)).toContain("it was revoked");
  });

  it("loses the connection that is open when a new list comes, and no other user does", async () => {
    await start({ "users.crl": await list(users, []) }, { reloadMs: HOUR });
    using kept = gate.user(shown(grace));
    using other = gate.user(shown(ada));
    for (const each of [kept, other]) expect(await each.ask()).toMatchObject({ status: 200 });
    // A request that runs when the new list comes.
    let answer = () => {};
    let asked = false;
    gate.site.beforeRead = async () => {
      asked = true;
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { unchangedMs: 0 };
    };
    const running = other.ask();
    await vi.waitFor(() => expect(asked).toBe(true), SOON);
    const [open] = kept.sockets;
    await gate.put("users.crl", await list(users, [grace]));
    await vi.waitFor(() => expect(open?.destroyed).toBe(true), SOON);
    answer();
    expect(await running).toMatchObject({ status: 200 });
    expect(await kept.ask()).toMatchObject(REVOKED);
    expect(gate.logged).toContainEqual(
      expect.objectContaining({ msg: "ended a connection", user: "grace", err: "Its certificate was revoked." }),
    );
  });

  it("is refused too if the authority that signed it was revoked; each authority has a list of its own", async () => {
    const usage = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
    const between = await certify({ cn: "between", ca: true, usage, by: users });
    const others = await certify({ cn: "others", ca: true, usage });
    const [eve, mallory] = [await certify({ cn: "eve", by: between }), await certify({ cn: "mallory", by: others })];
    const lists = [await list(between, []), await list(others, [])];
    await start({
      "users.pem": pem(users) + pem(others),
      "users.crl": [await list(users, []), ...lists].join(""),
    });
    expect(await ask(shown(eve, between))).toMatchObject({ status: 200 });
    expect(await ask(shown(mallory))).toMatchObject({ status: 200 });
    using kept = gate.user(shown(eve, between));
    expect(await kept.ask()).toMatchObject({ status: 200 });
    await gate.put("users.crl", [await list(users, [between]), ...lists].join(""));
    await vi.waitFor(async () => expect(await ask(shown(eve, between))).toMatchObject({ status: 403 }), SOON);
    expect([...kept.sockets].every(({ destroyed }) => destroyed)).toBe(true);
    expect(await ask(shown(mallory))).toMatchObject({ status: 200 });
  });
});

describe("a list of --gate-client-crl", () => {
  it.each<[string, () => Promise<string>, RegExp]>([
    ["half of one", async () => (await list(users, [grace])).slice(0, 200), /it has half a list/],
    ["no list at all", async () => "nothing", /it has no list that the authority CN=users has signed/],
    [
      "the list of another authority of that name",
      async () => await list(await certify({ cn: "users", ca: true }), [grace]),
      /it has no list that the authority CN=users has signed/,
    ],
    [
      "no list in the middle of the text",
      async () => "-----BEGIN X509 CRL-----\nbm90aGluZw==\n-----END X509 CRL-----\n",
      /--gate-client-crl is not right: /,
    ],
  ])("a list with %s is refused with a sentence", async (_, bad, words) => {
    await expect(start({ "users.crl": await bad() })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(words),
    });
  });

  it("a list that does not fit is not used, and the old one stays", async () => {
    await start({ "users.crl": await list(users, [grace]) });
    await gate.put("users.crl", (await list(users, [ada])).slice(0, 200));
    await vi.waitFor(() => {
      const warned = gate.logged.find(({ msg }) => msg === "the new certificate files are not used");
      expect(warned?.err).toMatch(/it has half a list.*Until then the old files are used/);
    }, SOON);
    expect(await ask(shown(ada))).toMatchObject({ status: 200 });
    expect(await ask(shown(grace))).toMatchObject(REVOKED);
  });

  it("a list that has ended refuses everybody until a new one is there, and the log says so", async () => {
    await start({ "users.crl": await list(users, [], -1_000) });
    expect(await ask(shown(ada))).toMatchObject({
      status: 403,
      said: expect.stringContaining("the list of revoked certificates of this server has ended"),
    });
    const told = (words: RegExp) =>
      vi.waitFor(
        () => expect(gate.logged).toContainEqual(expect.objectContaining({ err: expect.stringMatching(words) })),
        SOON,
      );
    await told(/^The list of revoked certificates of CN=users in --gate-client-crl ended at \S+Z; put a new one/);
    await gate.put("users.crl", await list(users, [], HOUR / 10));
    await vi.waitFor(async () => expect(await ask(shown(ada))).toMatchObject({ status: 200 }), SOON);
    await told(/^The list of revoked certificates of CN=users in --gate-client-crl ends at \S+Z, in/);
  });

  it("needs the authorities whose users it refuses", async () => {
    const { "users.pem": _, ...rest } = own;
    own = rest as typeof own;
    await expect(start({ "users.crl": await list(users, []) })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("--gate-client-crl needs --gate-client-ca"),
    });
  });
});

describe("a connection to a gate", () => {
  it("is cut when the certificate of its user ends, also in the middle of a request", async () => {
    await start({});
    const short = shown(await certify({ cn: "ada", by: users, ends: HOUR }));
    using kept = gate.user(short);
    using other = gate.user(shown(grace));
    for (const each of [kept, other]) expect(await each.ask()).toMatchObject({ status: 200 });
    let asked = false;
    gate.site.beforeRead = async (_, { signal }) => {
      asked = true;
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const running = kept.ask();
    running.catch(() => {});
    await vi.waitFor(() => expect(asked).toBe(true), SOON);
    const realNow = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => realNow() + HOUR);
    onTestFinished(() => void vi.restoreAllMocks());
    const [open] = kept.sockets;
    await vi.waitFor(() => expect(open?.destroyed).toBe(true), SOON);
    await expect(running).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(gate.logged).toContainEqual(
      expect.objectContaining({ user: "ada", err: expect.stringMatching(/^Its certificate ended at \S+Z\.$/) }),
    );
    expect([...other.sockets].map(({ destroyed }) => destroyed)).toEqual([false]);
  });

  it("takes no new requests when it is old, and the user comes back over a new one", async () => {
    await start({}, { connectionMs: 0 });
    using kept = gate.user(shown(ada));
    for (let time = 1; time <= 3; time += 1) {
      expect(await kept.ask()).toMatchObject({ status: 200 });
      await vi.waitFor(() => expect([...kept.sockets].every(({ destroyed }) => destroyed)).toBe(true), SOON);
      expect(kept.sockets.size).toBe(time);
    }
  });
});
