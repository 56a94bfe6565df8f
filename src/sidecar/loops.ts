// What a sidecar does all the time, beside the calls that it answers.
import { readRoom } from "../health/disk-room.ts";
import { RepairLoop } from "../queue/repair-loop.ts";
import { runCommands } from "../queue/run-commands.ts";
import { Wakeups } from "../queue/wakeups.ts";
import type { UrlSource } from "../store/database/connection-config.ts";
import { listenForHeads } from "../store/database/notifications.ts";
import { keepWritingEvents } from "../sync/activity/keep-writing.ts";
import { keepScanning } from "../sync/adopt/scan-root.ts";
import { keepWatching } from "../sync/adopt/watch-late.ts";
import type { Follower } from "../sync/catch-up/follower.ts";
import { patrol } from "../sync/catch-up/patrol.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { deliverHooks } from "../sync/hooks/deliver-hooks.ts";
import { KnownRoom } from "../sync/lease/known-room.ts";
import { keepPlaced } from "../sync/placement/place-replicas.ts";
import { type OwnKey, untilTrusted } from "../sync/registry/enroll-self.ts";
import { untilSshTrusted } from "../sync/registry/enroll-ssh.ts";
import type { Registry } from "../sync/registry/registry.ts";
import { keepTrimming } from "../sync/retention/keep-trimming.ts";
import { endSessions } from "../sync/session/end-sessions.ts";
import { keepHealthy } from "../sync/upkeep/keep-healthy.ts";
import type { Lifetime } from "./lifetime.ts";

/** Starts what runs as long as the process. Resolves when all of it has ended. */
export async function startLoops(
  context: SyncContext,
  follower: Follower,
  { life, notifyUrl, registry, own }: { life: Lifetime; notifyUrl: UrlSource; registry: Registry; own: OwnKey },
): Promise<void> {
  const { db, me, lease, root } = context;
  const disk = new KnownRoom(() => readRoom(root));
  const wakeups = new Wakeups();
  const repairs = new RepairLoop(context, wakeups.wake);
  const onReconnect = () => {
    wakeups.wake();
    registry.wake();
    context.tail.wake();
    repairs.onReconnect();
    follower.onReconnect();
  };
  const onHeads = (ids: string[]) => {
    context.tail.wake();
    context.sessions.turns.wake(context, ids);
    void follower.onHeads(ids);
  };
  const handlers = { onHeads, onReconnect, onCommands: wakeups.wake, onRegistry: registry.wake };
  await Promise.all([
    lease.keep({ onFenced: life.onFenced, onFailOver: onReconnect, room: () => disk.last }, life.over),
    registry.run(life.over),
    untilTrusted(db, own, context.log, life.over),
    untilSshTrusted(db, own, context.log, life.over),
    follower.run(),
    runCommands(context, wakeups, life.stopping),
    repairs.run(),
    keepPlaced(context, repairs.wake),
    endSessions(context),
    patrol(context),
    listenForHeads(db, { url: notifyUrl, applicationName: me.device }, me.device, handlers, life.over),
    keepScanning(context),
    deliverHooks(context, life.stopping),
    keepHealthy(context),
    keepWatching(context),
    keepTrimming(context),
    keepWritingEvents(context),
  ]);
}
