// Generated values of every setting.
import fc from "fast-check";
import { expect, it } from "vitest";
import { hasPassword, parseDatabaseUrl } from "../../src/io/database-url/database-url.ts";
import { SETTINGS, type SettingName, variableOf } from "../../src/settings/config.ts";
import { readConfig } from "../../src/settings/read-config.ts";
import { fuzz, oddText, outcome, textOf } from "../support/fuzz.ts";

const settings = Object.keys(SETTINGS) as SettingName[];
const databaseUrl = fc.oneof(
  textOf(
    "postgres://",
    "user",
    ":",
    "@",
    "host",
    ",",
    "/",
    "db",
    "?",
    "&",
    "sslmode=",
    "require",
    "port=",
    "[::1]",
    "%",
    oddText(3),
  ),
  textOf(
    "host=",
    "db",
    " ",
    "port=",
    "5432",
    "'",
    "\\",
    "hostaddr=",
    "1.2.3.4",
    ",",
    "connect_timeout=",
    "sslrootcert=/no",
    oddText(3),
  ),
);
const value = fc.oneof(
  oddText(),
  databaseUrl,
  textOf(
    "127.0.0.1",
    ":",
    "1",
    "0",
    "70000",
    "[::1]",
    "-",
    ",",
    "*",
    "host",
    "http://",
    "{repository}",
    "{",
    "https",
    "e9",
  ),
);
const flagOf = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

it("any value of any setting makes a configuration, or is wrong usage that says which setting", () => {
  fc.assert(
    fc.property(fc.constantFrom(...settings), value, fc.boolean(), fc.nat(20), (name, text, asFlag, pick) => {
      const { commands } = SETTINGS[name];
      const command = commands[pick % commands.length] as string;
      const flags = asFlag ? { [flagOf(name)]: text } : {};
      const { value: config, error } = outcome(() =>
        readConfig(command, flags, asFlag ? {} : { [variableOf(name)]: text }, "/cwd"),
      );
      if (config === undefined) {
        expect(error).toMatchObject({ code: "USAGE", message: expect.stringMatching(/\.$/) });
        expect((error as Error).message).toMatch(new RegExp(`--${name}\\b|${variableOf(name)}\\b`));
        expect((error as Error).message.length).toBeLessThan(2_000);
        return;
      }
      if (SETTINGS[name].value === "DIR") expect(config[name]).toMatch(/^\//);
      expect(Object.isFrozen(config)).toBe(true);
    }),
    fuzz(2_000),
  );
});

it("any URL of a database leads to servers with sound ports, or is wrong usage that repeats no password", () => {
  const secret = "hunter2secret";
  fc.assert(
    fc.property(databaseUrl, fc.boolean(), (text, withPassword) => {
      const url = withPassword ? text.replace("user", `user:${secret}@`) : text;
      const { value: servers, error } = outcome(() => parseDatabaseUrl(url));
      if (servers === undefined) {
        expect(error).toMatchObject({ code: "USAGE" });
        expect((error as Error).message).not.toContain(secret);
        return;
      }
      expect(servers.length).toBeGreaterThan(0);
      for (const { port = 1, password } of servers) {
        expect(port > 0 && port < 65_536).toBe(true);
        if (password === secret) expect(hasPassword(url)).toBe(true);
      }
    }),
    fuzz(1_000),
  );
});
