import { describe, expect, it } from "vitest";
import { foreignHost, readHostNames } from "../../src/http/host-names.ts";

const names = readHostNames("git.example.org, Repo001.internal.,");

describe("a request for a host", () => {
  it.each([
    undefined,
    "localhost:7422",
    "app.localhost",
    "127.0.0.1",
    "10.0.0.7:7422",
    "[::1]:7422",
    "[fe80::1]",
    "lockstep:7422",
    "git.example.org",
    "GIT.example.org.:443",
    "repo001.internal",
  ])("is served for %j", (host) => {
    expect(foreignHost(host, names)).toBeUndefined();
  });

  it.each(["evil.example.org", "git.example.org.evil.example:7422", "127.0.0.1.nip.io", "localhost.evil.example"])(
    "is not served for %j, unless every name is good",
    (host) => {
      expect(foreignHost(host, names)).toMatch(/^This server does not know itself as .*--host-names\.$/);
      expect(foreignHost(host, readHostNames("*"))).toBeUndefined();
    },
  );
});
