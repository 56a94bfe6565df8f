import { describe, expect, it } from "vitest";
import { readRanges } from "../../src/io/client-address.ts";
import { addressIn, checkHookAddress, hookUrl, whyNotPosted } from "../../src/io/hook-url.ts";

describe("an address to which a webhook leads", () => {
  it.each([
    ["ci.example", "10.0.0.5", true],
    ["ci.example", "203.0.113.5", true],
    ["ci.example", "2001:db8::5", true],
    ["ci.example", "127.0.0.1", false],
    ["ci.example", "::1", false],
    ["ci.example", "::ffff:127.0.0.1", false],
    ["localhost.example", "127.0.0.1", false],
    ["localhost", "127.0.0.1", true],
    ["localhost", "::1", true],
    ["ci.localhost", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["ci.example", "169.254.169.254", false],
    ["ci.example", "::ffff:169.254.169.254", false],
    ["ci.example", "64:ff9b::a9fe:a9fe", false],
    ["ci.example", "fe80::1", false],
    ["ci.example", "fd00:ec2::254", false],
    ["ci.example", "fd00:ec2::255", true],
    ["ci.example", "0.0.0.0", false],
    ["ci.example", "::", false],
    ["ci.example", "224.0.0.1", false],
    ["ci.example", "255.255.255.255", false],
  ])("%s may lead to %s: %s", (host, address, may) => {
    expect(whyNotPosted(undefined, host, address) === undefined).toBe(may);
  });

  it("is one of --hook-addresses where that is set, and no other one", () => {
    const allowed = readRanges("10.1.0.0/16,127.0.0.1,169.254.7.7");
    for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "169.254.7.7"])
      expect(whyNotPosted(allowed, "ci.example", address)).toBeUndefined();
    for (const address of ["10.2.2.3", "127.0.0.2", "203.0.113.5", "169.254.169.254", "::1"])
      expect(whyNotPosted(allowed, "localhost", address)).toMatch(/^which is not in --hook-addresses of this device/);
  });

  it.each([
    "http://169.254.169.254/latest",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fe80::1]:80/",
    "http://0/",
  ])("in the URL %s is refused when the hook is added", (text) => {
    expect(() => checkHookAddress(undefined, new URL(hookUrl(text)))).toThrow(
      /^The hook leads to [\da-f.:]+, where no webhook may lead/,
    );
  });

  it("is looked up for a name only when the connection is made", () => {
    expect(addressIn(new URL("http://ci.example/"))).toBeUndefined();
    expect(() => checkHookAddress(undefined, new URL("http://ci.example/"))).not.toThrow();
  });
});
