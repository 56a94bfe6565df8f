// docs/configuration.md, which `npm run generate` writes.
import { SETTINGS, type SettingName, variableOf } from "./config.ts";
import type { Setting } from "./setting.ts";

/** Returns the text of docs/configuration.md. */
export function configurationPage(): string {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { value, help, commands, ...rest }: Setting = SETTINGS[name];
    const fallback = rest.default ? `\`${rest.default}\`` : "";
    return `| \`--${name}${value && ` ${value}`}\` | \`${variableOf(name)}\` | ${fallback} | ${commands.join(", ")} | ${help} |`;
  });
  return `# Configuration

Generated from \`src/settings/\` by \`npm run generate\`. A flag wins over its environment variable, and the variable over
the default. An unknown flag is an error. A warning names each unknown variable that begins with \`LOCKSTEP_\`.

| flag | variable | default | commands | meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}
