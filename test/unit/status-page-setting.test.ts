import { expect, it } from "vitest";
import { readConfig } from "../../src/settings/read-config.ts";
import { readSettings } from "../../src/sidecar/read-settings.ts";

const NEEDED = {
  ...{ device: "a", root: "/r", databaseUrl: "postgres://127.0.0.1/x" },
  ...{ tlsCert: "/c", tlsKey: "/k", tlsCa: "/a" },
};

it.each([
  ["127.0.0.1:7422", undefined, true],
  ["[::1]:7422", undefined, true],
  ["localhost:7422", "auto", true],
  ["0.0.0.0:7422", undefined, false],
  ["[::]:7422", "auto", false],
  ["repo001.internal:7422", "auto", false],
  ["0.0.0.0:7422", "on", true],
  ["127.0.0.1:7422", "off", false],
])("the status page at %s with --status-page %s: %s", (httpListen, statusPage, shown) => {
  const flags = { ...NEEDED, httpListen, ...(statusPage && { statusPage }) };
  expect(readSettings(readConfig("serve", flags, {}, "/"), {}).statusPage).toBe(shown);
});

it("the status page is on, off or auto, and nothing else", () => {
  expect(() => readConfig("serve", { ...NEEDED, statusPage: "yes" }, {}, "/")).toThrow(
    /--status-page must be on, off or auto/,
  );
});
