// Pushes that are decided together: every named step, with everything that may die there. Afterwards each is lost or
// landed as a whole, as its pusher was told, and the next push works without anybody's help.
import { expect, it } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  ada,
  cases,
  cluster,
  nextPush,
  one,
  startClusterToStrike,
  strike,
  three,
  UPLOADERS,
  type Victim,
} from "../support/crash-strikes.ts";
import { PushHistory } from "../support/push-history.ts";

startClusterToStrike();

const UNDECIDED = ["group.prepared", "group.deciding"] as const;
const DECIDED = ["group.decided", "push.committed", "push.applied"] as const;
const VICTIMS: readonly Victim[] = ["sidecar", "receive-pack", "hook that works", "database", "device"];
const LINES = ["left", "middle", "right"];

type Point = (typeof UNDECIDED | typeof DECIDED)[number];

/** Brings a group to the point, in a repository of its own. On a slow machine a group may fall apart: then once more. */
async function groupAt(point: Point) {
  for (let tries = 1; tries <= 5; tries += 1) {
    const history = await PushHistory.begin(cluster, ada);
    const group = await tryGroupAt(point, history);
    if (group !== undefined) return { history, ...group };
  }
  throw new Error("No group came together in five tries.");
}

/**
 * Lets the pushes of all lines wait behind another one, until they reach the point together. Returns how they end, and
 * the hold at the point. undefined: they were not ready in a moment, and each landed alone.
 */
async function tryGroupAt(point: Point, history: PushHistory) {
  // A device has staged a write before it decides others at once.
  await history.untilAcknowledged(one.device, "before");
  await using first = await one.hold("push.deciding");
  const before = history.push(one.device, "before");
  await first.reached();
  await using waiting = await one.hold("group.waiting");
  const pushes = LINES.map((line) => history.push(one.device, line));
  await waiting.reached(LINES.length);
  await waiting.release();
  const inGroup = point.startsWith("group") ? point : "group.decided";
  const held = await one.hold(inGroup);
  await first.release();
  expect((await before).verdict).toBe("acknowledged");
  const alone = Promise.all(pushes).then(() => "alone");
  if ((await Promise.race([held.reached(), alone])) === "alone") return await held.release();
  if (inGroup === point) return { pushes, held };
  // The push before has passed this point too.
  const later = await one.hold(point);
  await held.release();
  await later.reached();
  return { pushes, held: later };
}

it.each([
  ...cases([...UNDECIDED, ...DECIDED], VICTIMS),
  ...cases(["group.prepared", "group.deciding", "group.decided"], ["update-ref"]),
])("%s survives the death of its %s", async (point, victim) => {
  const { history, pushes, held } = await groupAt(point as Point);
  await using _ = held;
  await strike(one, history.repository, victim, held.release);
  const verdicts = (await Promise.all(pushes)).map(({ verdict }) => verdict);
  const { version } = await one.device.call("BeforeRead", { repository: history.repository }, PATIENCE);
  if (DECIDED.some((each) => each === point)) {
    expect(version).toBe("5");
    expect(verdicts).not.toContain("refused");
  } else if (UPLOADERS.includes(victim)) {
    // Whether a pusher is still there is asked once more, a moment before the decision.
    expect(verdicts).not.toContain("acknowledged");
  } else if (victim !== "database" && victim !== "update-ref") {
    expect(verdicts).not.toContain("acknowledged");
    expect(version).toBe("2");
  } else {
    // They begin again, each alone.
    expect(verdicts).not.toContain("neither");
  }
  for (const line of LINES) await nextPush(history, one.device, line, victim);
  await nextPush(history, three, "left", victim);
  await history.expectTrueAndAtRest();
});
