// The one table of settings: flag, environment variable, default, help. Its parts are in settings/, by subject.
// docs/configuration.md is written from here, in this order. read-config.ts reads flags and variables.

import { CERTIFICATE_SETTINGS } from "./certificates.ts";
import { DEVICE_SETTINGS } from "./device.ts";
import { GATE_SETTINGS } from "./gate.ts";
import { PEER_SETTINGS } from "./peers.ts";
import type { Setting } from "./setting.ts";
import { digits } from "./setting-checks.ts";
import { WORK_SETTINGS } from "./work.ts";

export const SETTINGS = {
  ...DEVICE_SETTINGS,
  ...CERTIFICATE_SETTINGS,
  ...PEER_SETTINGS,
  ...WORK_SETTINGS,
  ...GATE_SETTINGS,
  "exit-with-pid": {
    check: digits("a process id"),
    value: "PID",
    help: "id of another process; when that process has ended, this one ends too, as the devices of the demo do",
    commands: ["serve", "gate"],
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
/** The settings of one run. Those without a default may be absent. */
export type Config = Readonly<Partial<Record<SettingName, string>>>;

/** Returns the environment variable of a setting: LOCKSTEP_HTTP_LISTEN for --http-listen. */
export function variableOf(name: SettingName): string {
  return `LOCKSTEP_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Returns the settings that a command takes. */
export function settingsOf(command: string): SettingName[] {
  return (Object.keys(SETTINGS) as SettingName[]).filter((name) =>
    (SETTINGS[name].commands as readonly string[]).includes(command),
  );
}
