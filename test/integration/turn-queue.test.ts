// What waiting for the turn costs, and that a push keeps the ticket that it has, whatever becomes of its attempts.
import { describe, expect, it, vi } from "vitest";
import { holdPacks } from "../support/held-packs.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

const APP = "team/app";
const KINDS = {
  take: "lockstep.take_turn(",
  stage: "lockstep.stage_write(",
  renewal: "update lockstep.turn",
  look: "lockstep.turn_holder(t.repository_id) as holder",
  whoHasIt: 'select write_id as "writeId", device',
};
type Kind = keyof typeof KINDS | "other";

/** The statements of a device, by what they are for. */
function record(device: TestDevice): {
  count(kind: Kind): number;
  others: string[];
  /** All but who was asked for, which each push asks once, a second after it came. */
  forget(): void;
} {
  const texts: string[] = [];
  device.onStatement = async (text, run) => {
    texts.push(text);
    return await run();
  };
  const kindOf = (text: string) =>
    (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((kind) => text.includes(KINDS[kind])) ?? "other";
  return {
    count: (kind) => texts.filter((text) => kindOf(text) === kind).length,
    get others() {
      return texts.filter((text) => kindOf(text) === "other");
    },
    forget: () => void texts.splice(0, texts.length, ...texts.filter((text) => kindOf(text) === "whoHasIt")),
  };
}

async function giveTurn(cluster: TestCluster): Promise<{ takeBack(): Promise<void> }> {
  await cluster.sql(
    `insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
     select id, gen_random_uuid(), 'repo009', 'grace', 'rewriting history', clock_timestamp() + interval '1 hour'
     from lockstep.repository`,
  );
  return {
    takeBack: async () => void (await cluster.sql("delete from lockstep.turn where device = 'repo009'")),
  };
}

/** The tickets of a device, and whether they run for longer than at `since`. */
async function ticketsOf(cluster: TestCluster, { name }: TestDevice, since = "-infinity") {
  return await cluster.sql<{ id: string; expires_at: string; longer: boolean; first: boolean }>(
    `select write_id as id, expires_at::text, expires_at > $2::timestamptz as longer,
       lockstep.turn_holder(repository_id) = write_id as first
     from lockstep.turn where device = $1 order by expires_at desc`,
    [name, since],
  );
}

async function nextTickets(cluster: TestCluster, device: TestDevice, count: number) {
  await vi.waitFor(async () => expect(await ticketsOf(cluster, device)).toHaveLength(count), SOON);
  return await ticketsOf(cluster, device);
}

/** Lets tickets run for twice the time until the next renewal, and waits for longer. */
async function outliveTickets(cluster: TestCluster): Promise<void> {
  const [row] = await cluster.sql<{ ends: string }>(
    "update lockstep.turn set expires_at = clock_timestamp() + interval '8 s' returning expires_at::text as ends",
  );
  const over = "select clock_timestamp() > $1::timestamptz as is";
  await vi.waitFor(async () => expect(await cluster.sql(over, [row?.ends])).toEqual([{ is: true }]), SOON);
}

async function expectNoTickets(cluster: TestCluster): Promise<void> {
  await vi.waitFor(async () => expect(await cluster.sql("select 1 from lockstep.turn")).toEqual([]), SOON);
}

describe("pushes that wait for the turn", () => {
  it("take a ticket each and write nothing more but one renewal for all of them; one look serves all", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const turn = await giveTurn(cluster);
    const statements = record(a);
    const pushes = Array.from({ length: 5 }, (_, index) => a.push(APP, [change(`b${index}`, null, one)]));
    const [latest] = await nextTickets(cluster, a, 5);
    expect(statements.count("take")).toBe(5);
    statements.forget();
    const startedAt = performance.now();
    await vi.waitFor(async () => {
      const renewed = (await ticketsOf(cluster, a, latest?.expires_at)).filter(({ longer }) => longer);
      expect(renewed).toHaveLength(5);
    }, SOON);
    await vi.waitFor(() => expect(statements.count("whoHasIt")).toBe(5), SOON);
    const seconds = (performance.now() - startedAt) / 1000;
    expect(statements.count("take")).toBe(0);
    expect(statements.count("renewal")).toBeLessThanOrEqual(Math.ceil(seconds / 4));
    // From 25 ms to a second, then one a second at the most, however many wait.
    expect(statements.count("look")).toBeLessThanOrEqual(8 + 1.5 * seconds);
    expect(statements.count("whoHasIt")).toBe(5);
    expect(statements.others).toEqual([]);
    await turn.takeBack();
    expect(await Promise.all(pushes)).toEqual(pushes.map((_, index) => ({ [`refs/heads/b${index}`]: null })));
    expect(statements.count("take")).toBe(0);
    await expectNoTickets(cluster);
    await a.expectInLockstep(APP);
  });

  it("land with the ticket that they have, also where the rule of copies has risen meanwhile", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const turn = await giveTurn(cluster);
    const statements = record(a);
    const pushed = a.push(APP, [change("main", null, one)]);
    const [ticket] = await nextTickets(cluster, a, 1);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    await turn.takeBack();
    expect(await pushed).toEqual({ "refs/heads/main": null });
    expect(statements.count("take")).toBe(1);
    // Refused for the turn, then for the copies, then landed: none of them was behind the push's own ticket.
    expect(statements.count("stage")).toBe(3);
    const rows = () => cluster.sql("select status, ticket from lockstep.write order by started_at");
    // The first attempt is settled in the background.
    await vi.waitFor(
      async () =>
        expect(await rows()).toEqual([
          { status: "dropped", ticket: ticket?.id },
          { status: "landed", ticket: ticket?.id },
        ]),
      SOON,
    );
    expect(await log(cluster)).toHaveLength(1);
    await expectNoTickets(cluster);
  });

  it("keep the turn while they catch up, however long that takes", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const topic = await b.commit(APP, "topic");
    const session = await beginSession(a, APP);
    await a.git(APP, [`--git-dir=${session.path}`, "update-ref", "refs/heads/main", two]);
    const statements = record(b);
    const open = holdPacks(b);
    const pushed = b.push(APP, [change("topic", null, topic)]);
    const [ticket] = await nextTickets(cluster, b, 1);
    await bumpSession(a, APP, session.token);
    await vi.waitFor(async () => expect(b.packRequests).not.toEqual([]), SOON);
    await outliveTickets(cluster);
    expect(await ticketsOf(cluster, b)).toMatchObject([{ id: ticket?.id, first: true }]);
    open();
    expect(await pushed).toEqual({ "refs/heads/topic": null });
    expect(statements.count("take")).toBe(1);
    await expectNoTickets(cluster);
  });

  it("go to the end of the queue when their ticket has run out, and land", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const turn = await giveTurn(cluster);
    const statements = record(a);
    const pushed = a.push(APP, [change("main", null, one)]);
    const [ticket] = await nextTickets(cluster, a, 1);
    await cluster.sql("update lockstep.turn set expires_at = clock_timestamp() - interval '1 ms' where device = $1", [
      a.name,
    ]);
    await vi.waitFor(() => expect(statements.count("take")).toBe(2), SOON);
    expect(await ticketsOf(cluster, a)).toMatchObject([{ id: ticket?.id }]);
    await turn.takeBack();
    expect(await pushed).toEqual({ "refs/heads/main": null });
    await expectNoTickets(cluster);
  });

  it("pushes that wait for the turn on other devices land one after another though nothing tells them that the turn has moved", async () => {
    await using cluster = await TestCluster.make();
    const devices = await cluster.pair(APP);
    for (const device of devices) await device.read(APP);
    const turn = await giveTurn(cluster);
    const pushes = devices.flatMap((device) =>
      Array.from({ length: 4 }, async (_, index) => {
        const id = await device.commit(APP, `${device.name} ${index}`);
        return await device.push(APP, [change(`${device.name}-${index}`, null, id)]);
      }),
    );
    for (const device of devices) await nextTickets(cluster, device, 4);
    await turn.takeBack();
    for (const report of await Promise.all(pushes)) expect(Object.values(report)).toEqual([null]);
    expect(await log(cluster)).toHaveLength(8);
    await expectNoTickets(cluster);
  });
});

it("a session that begins keeps the turn while its replica catches up, however long that takes", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await cluster.pair(APP);
  const [one] = await a.history(APP);
  await a.push(APP, [change("main", null, one)]);
  const open = holdPacks(b);
  const begun = beginSession(b, APP);
  await vi.waitFor(async () => expect(b.packRequests).not.toEqual([]), SOON);
  await outliveTickets(cluster);
  open();
  const session = await begun;
  expect(await bumpSession(b, APP, session.token)).toMatchObject({ version: 1n });
  await expectNoTickets(cluster);
});
