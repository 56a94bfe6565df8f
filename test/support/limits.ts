// The limits of a sidecar whose settings are the defaults.
import { SETTINGS, type SettingName, settingsOf } from "../../src/settings/config.ts";
import type { Setting } from "../../src/settings/setting.ts";
import { readLimits } from "../../src/sidecar/read-settings.ts";

const defaultOf = (name: SettingName) => (SETTINGS[name] as Setting).default;

export const LIMITS = readLimits(Object.fromEntries(settingsOf("serve").map((name) => [name, defaultOf(name)])));
