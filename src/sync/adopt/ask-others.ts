// Asks the other devices what lies at the place of a repository on their disks.
import { describe } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { listDevices } from "../../store/device/devices.ts";
import type { SyncContext } from "../device/context.ts";
import type { DirectoryAnswer, DirectoryQuestion } from "./look-at-directory.ts";

/** What the other devices answered. */
export interface Asked {
  readonly answers: readonly (DirectoryAnswer & { readonly device: string })[];
  /** Live devices that did not answer in time, each with the reason. */
  readonly silent: readonly { readonly device: string; readonly why: string }[];
  /** Devices that are down. */
  readonly away: readonly string[];
}

/** Asks all other live devices at once. Never waits for one longer than `patienceMs`. */
export async function askOthers(
  context: SyncContext,
  question: DirectoryQuestion,
  { signal, patienceMs }: { signal: AbortSignal; patienceMs: number },
): Promise<Asked> {
  const others = (await listDevices(context.db)).filter(({ name }) => name !== context.me.device);
  const live = others.filter((each) => each.live);
  using patience = linkSignals([signal, context.signal], patienceMs);
  const asked = await Promise.all(
    live.map(async ({ name: device, gitAddress, sshAddress, sshUser }) => {
      try {
        const answer = await context.askDirectory(
          { device, gitAddress, sshAddress, sshUser },
          question,
          patience.signal,
        );
        return { device, answer: answer as DirectoryAnswer };
      } catch (error) {
        return { device, why: describe(error) };
      }
    }),
  );
  signal.throwIfAborted();
  return {
    answers: asked.flatMap(({ device, answer }) => (answer === undefined ? [] : [{ ...answer, device }])),
    silent: asked.flatMap(({ device, why }) => (why === undefined ? [] : [{ device, why }])),
    away: others.filter((each) => !each.live).map(({ name }) => name),
  };
}
