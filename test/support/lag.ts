// A device that lags: it hears of no push and learns of one only when it is asked, or when it polls (every 5 s or so).
import { inject } from "vitest";
import { type Device, PATIENCE } from "./cluster-device.ts";

/** Starts the sidecar again, listening for news where none are told. */
export async function deafen(device: Device): Promise<void> {
  await device.kill();
  await device.start({ LOCKSTEP_NOTIFY_DATABASE_URL: inject("postgresUrl") });
}

/** Runs `push`, which returns the new tip, until `device` has not noticed the last one: polls come in between once in a while. */
export async function untilBehind(device: Device, repository: string, push: () => Promise<string>): Promise<string> {
  for (;;) {
    const tip = await push();
    const { version, headVersion } = await device.call("GetVersion", { repository }, PATIENCE);
    if (version !== headVersion) return tip;
  }
}
