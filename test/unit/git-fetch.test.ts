import { describe, expect, it } from "vitest";
import { fetchCommand } from "../../src/git/objects/git-fetch.ts";

const ID = "12".repeat(20);
const peer = { address: "repo002.internal:7421", publicKey: "a2V5" };
const files = { cert: "/etc/lockstep/device.pem", key: "/etc/lockstep/device.key", ca: "/etc/lockstep/ca.pem" };
const settings = ({ args }: { args: readonly string[] }) =>
  Object.fromEntries(
    args.flatMap((arg, index) => (args[index - 1] === "-c" ? [[arg.split("=")[0], arg.replace(/^[^=]*=/, "")]] : [])),
  );

describe("the command that fetches from a peer", () => {
  it("is the same for the same peer, files, name and ids", () => {
    expect(fetchCommand(peer, files, "team/app", [ID])).toEqual({
      args: [
        ...["-c", "http.sslCert=/etc/lockstep/device.pem", "-c", "http.sslKey=/etc/lockstep/device.key"],
        ...["-c", "http.sslCAInfo=/etc/lockstep/ca.pem", "-c", "http.sslVersion=tlsv1.3"],
        ...["-c", "http.pinnedPubkey=sha256//a2V5", "-c", "http.followRedirects=false"],
        ...["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"],
        ...["-c", "core.alternateRefsCommand=true", "-c", "core.fsync=all", "-c", "fetch.unpackLimit=1"],
        ...["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"],
        ...["--no-recurse-submodules", "--stdin", "--", "https://repo002.internal:7421/team/app.git"],
      ],
      env: { GIT_ALLOW_PROTOCOL: "https" },
      input: `${ID}\n`,
    });
  });

  it.each<[string, string, string, string]>([
    ["a name and a port", "repo002:7421", "app", "https://repo002:7421/app.git"],
    ["an IPv6 address", "[fd00::2]:7421", "app", "https://[fd00::2]:7421/app.git"],
    ["a repository in folders", "h:1", "a/b/c.d+e", "https://h:1/a/b/c.d+e.git"],
  ])("names %s behind --, as the last argument", (_, address, name, url) => {
    expect(fetchCommand({ ...peer, address }, files, name, [ID]).args.slice(-2)).toEqual(["--", url]);
  });

  it.each<[string, string]>([
    ["=", "/srv/a=b/key"],
    ["a space", "/srv/a b/key"],
    ["a quote", "/srv/'\"/key"],
  ])("passes a file with %s in its path on as it is", (_, key) => {
    expect(settings(fetchCommand(peer, { ...files, key }, "app", [ID]))["http.sslKey"]).toBe(key);
  });

  it.each<[string, string[], string]>([
    ["one id", [ID], `${ID}\n`],
    ["many ids", [ID, "34".repeat(20)], `${ID}\n${"34".repeat(20)}\n`],
    ["an id of the long kind", ["56".repeat(32)], `${"56".repeat(32)}\n`],
  ])("asks for %s by standard input, never by the name of a ref or a remote", (_, wants, input) => {
    const command = fetchCommand(peer, files, "app", wants);
    expect(command.input).toBe(input);
    expect(command.args.join(" ")).not.toMatch(/refs\/|origin|[0-9a-f]{40}/);
  });
});
