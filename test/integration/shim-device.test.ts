// The shims that sshd starts for other devices, with a scripted sidecar: first a frame, then plain bytes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeFrames } from "../../src/framing/frames.ts";
import { shims } from "../support/shim-site.ts";

const KEY = "SHA256:96/ieJmeUk6yb7s+9Ue8SIeAAAAAAAAAAAAAAAAAAAA";
let dir: string;
let server: Server;
let said: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ls-shim-"));
  said = [];
});
afterEach(async () => {
  server?.close();
  await rm(dir, { recursive: true });
});

/** Listens as the sidecar does. `answer` gets the connection behind the first frame. */
async function play(answer: (socket: Socket) => void): Promise<void> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once("data", (frame: Buffer) => {
      said = frame.subarray(5).toString().split("\0").filter(Boolean);
      answer(socket);
    });
  });
  server.listen(join(dir, "peer.sock"));
  await once(server, "listening");
}

describe.each(shims)("the $name shim for devices", ({ command: [program = "", ...first] }) => {
  const run = async (args: string[], input: string, env: Record<string, string> = {}) => {
    const child = spawn(program, [...first, ...args], {
      env: { PATH: process.env.PATH ?? "", LOCKSTEP_SOCKET_DIR: dir, ...env },
    });
    // A shim that refuses reads nothing.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [[code], stdout, stderr] = await Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  };
  const device = ["lockstep-shell", "--device", "repo002", "--key", KEY];

  it("says who it is and what is asked, and then copies bytes both ways until the sidecar ends", async () => {
    await play((socket) => {
      socket.write(encodeFrames("X", "0"));
      socket.on("data", (bytes) => void socket.write(bytes.toString().toUpperCase()));
      socket.on("end", () => socket.end("!"));
    });
    const env = { SSH_ORIGINAL_COMMAND: "lockstep-peer", GIT_PROTOCOL: "version=2" };
    expect(await run(device, "hello", env)).toEqual({ code: 0, stdout: "HELLO!", stderr: "" });
    expect(said).toEqual(
      expect.arrayContaining([
        ...["version=1", "op=device", "device=repo002", `key=${KEY}`, "request=lockstep-peer"],
        "env.GIT_PROTOCOL=version=2",
      ]),
    );
  });

  it("shows what the sidecar says, and ends as it says", async () => {
    await play((socket) => socket.end(Buffer.concat([encodeFrames("E", "no\n"), encodeFrames("X", "1")])));
    expect(await run(device, "")).toEqual({ code: 1, stdout: "", stderr: "no\n" });
    expect(said).toContain("request=");
  });

  it("takes nothing but a device and its key", async () => {
    await play((socket) => socket.destroy());
    expect((await run([...device, "more"], "")).code).toBe(2);
    expect((await run(["lockstep-shell", "--device", "repo002"], "")).code).toBe(2);
    const lost = await run(device, "");
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining("ended the connection without an answer") });
  });

  it("is no shell for a device behind -c, where a user's words are", async () => {
    const env = { SSH_ORIGINAL_COMMAND: "lockstep-peer" };
    const refused = await run(["lockstep-shell", "-c", `lockstep-shell --device repo002 --key ${KEY}`], "", env);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("and refuses: lockstep-shell --device") });
  });

  it("asks for the line of a key", async () => {
    await play((socket) => {
      socket.write(encodeFrames("X", "0"));
      socket.end("restrict …\n");
    });
    const asked = await run(["authorized-keys", dir, "ssh-ed25519", "AAAA"], "");
    expect(asked).toEqual({ code: 0, stdout: "restrict …\n", stderr: "" });
    expect(said).toEqual(expect.arrayContaining(["op=authorized-keys", "type=ssh-ed25519", "key=AAAA"]));
  });
});
