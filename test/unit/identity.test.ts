import { describe, expect, it } from "vitest";
import { certificateIdentity, identityUri, parseIdentity } from "../../src/tls/identity.ts";

describe("parseIdentity", () => {
  it.each(["device", "frontend", "operator"] as const)(
    "reads the identity of a %s and identityUri writes it back",
    (role) => {
      const uri = `spiffe://cluster-1.example_x/${role}/repo001`;
      const identity = parseIdentity(uri);
      expect(identity).toEqual({ trustDomain: "cluster-1.example_x", role, name: "repo001" });
      expect(identityUri(identity!)).toBe(uri);
    },
  );

  it.each([
    ["another scheme", "https://td/device/a"],
    ["the scheme in upper case", "SPIFFE://td/device/a"],
    ["no trust domain", "spiffe:///device/a"],
    ["a trust domain in upper case", "spiffe://TD/device/a"],
    ["a port", "spiffe://td:1/device/a"],
    ["a user", "spiffe://me@td/device/a"],
    ["a trust domain that is too long", `spiffe://${"a".repeat(256)}/device/a`],
    ["an unknown role", "spiffe://td/admin/a"],
    ["a role in upper case", "spiffe://td/Device/a"],
    ["a role that only begins like one", "spiffe://td/devices/a"],
    ["no name", "spiffe://td/device/"],
    ["no role", "spiffe://td/a"],
    ["only a trust domain", "spiffe://td"],
    ["a trailing slash", "spiffe://td/device/a/"],
    ["one more part", "spiffe://td/device/a/b"],
    ["a dot part", "spiffe://td/device/.."],
    ["a name in upper case", "spiffe://td/device/Repo"],
    ["a name ending in a hyphen", "spiffe://td/device/a-"],
    ["a name of 64 characters", `spiffe://td/device/${"a".repeat(64)}`],
    ["an escaped character", "spiffe://td/device/a%62"],
    ["a query", "spiffe://td/device/a?x"],
    ["a fragment", "spiffe://td/device/a#x"],
    ["a space before it", " spiffe://td/device/a"],
    ["a line break after it", "spiffe://td/device/a\n"],
    ["a NUL after it", "spiffe://td/device/a\0"],
    ["nothing", ""],
  ])("refuses %s", (_, uri) => {
    expect(parseIdentity(uri)).toBeUndefined();
  });
});

describe("the identity in a certificate", () => {
  const URI = "URI:spiffe://td/operator/olga";

  it("is its only URI, beside names of other kinds", () => {
    const olga = { trustDomain: "td", role: "operator", name: "olga" };
    expect(certificateIdentity(`DNS:a.example, ${URI}, IP Address:127.0.0.1`, "td")).toEqual(olga);
    expect(certificateIdentity(`${URI}, URI:spiffe://td/operator/ada`, "td")).toBeUndefined();
    expect(certificateIdentity(URI, "other")).toBeUndefined();
  });

  it("is no part of another name, which Node quotes", () => {
    expect(certificateIdentity(`DNS:"x, ${URI}, y"`, "td")).toBeUndefined();
    expect(certificateIdentity(`email:"x, ${URI}, y"`, "td")).toBeUndefined();
  });
});
