import { beforeAll, describe, expect, it, vi } from "vitest";
import { ended, PATIENCE } from "../support/cluster-device.ts";
import { EXIT } from "../support/command-line.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { SOON } from "../support/soon.ts";

let repository: string;
startClusterOfFile();
beforeAll(async () => {
  repository = await cluster.createRepository();
  expect((await ada.push(one.url(repository), `${await ada.commit()}:refs/heads/main`)).code).toBe(0);
});

const stateOf = async (id: string) => (await one.call("GetCommand", { id }, PATIENCE)).command;
const show = async (id: string) => (await one.lockstep("command", "show", id)).document;

describe("lockstep command", () => {
  it("asks every device that holds the repository, waits, and tells what each one did", async () => {
    const { code, document } = await one.lockstep(
      "command",
      "enqueue",
      "verify",
      repository,
      "--wait",
      "--reason",
      "a test",
    );
    expect(code).toBe(EXIT.OK);
    expect(document.commands.map(({ device }: { device: string }) => device).sort()).toEqual(
      cluster.devices.map(({ name }) => name).sort(),
    );
    for (const command of document.commands)
      expect(command).toMatchObject({
        repository,
        command: "verify",
        state: "done",
        reason: "a test",
        attempts: 1,
        error: null,
        outcome: { version: 1, differences: 0, damage: [], failure: null },
      });
    const listed = await one.lockstep("command", "list", "--repository", repository, "--state", "done");
    expect(listed.document.commands.length).toBeGreaterThanOrEqual(3);
  });

  it("keeps a command for a device that is away, says so, and has it carried out once the device is back", async () => {
    await two.kill();
    const asked = await one.lockstep("command", "enqueue", "repair", repository, "--device", two.name);
    const [{ id }] = asked.document.commands;
    // A second operator asks for the same.
    const again = await one.lockstep("command", "enqueue", "repair", repository, "--device", two.name);
    expect(again.document.commands[0].id).toBe(id);
    await vi.waitFor(async () => expect(await stateOf(id)).toMatchObject({ deviceLive: false }), SOON);
    expect(await show(id)).toMatchObject({ state: "queued", device_live: false });
    const { stdout } = await one.print("command", "list", "--device", two.name);
    expect(stdout).toContain(`waits for ${two.name}, away for`);
    expect((await one.print("status")).stdout).toMatch(new RegExp(`${two.name} .*commands to do: 1`));
    await two.start();
    await vi.waitFor(async () => expect(await stateOf(id)).toMatchObject({ state: "COMMAND_STATE_DONE" }), SOON);
    expect(await show(id)).toMatchObject({ state: "done", attempts: 1 });
  });

  it("stops waiting at Ctrl-C, and the command stays in the queue", async () => {
    await two.kill();
    const waiting = one.command(["command", "enqueue", "sync", repository, "--device", two.name, "--wait", "--json"]);
    const end = ended(waiting);
    await vi.waitFor(async () => {
      const asked = { device: two.name, states: ["COMMAND_STATE_QUEUED" as const] };
      const { commands } = await one.call("ListCommands", asked, PATIENCE);
      expect(commands).toHaveLength(1);
    }, SOON);
    waiting.kill("SIGINT");
    expect((await end).code).not.toBe(EXIT.OK);
    await two.start();
    await vi.waitFor(async () => {
      const asked = { device: two.name, states: ["COMMAND_STATE_QUEUED" as const] };
      const { commands } = await one.call("ListCommands", asked, PATIENCE);
      expect(commands).toEqual([]);
    }, SOON);
  });

  it.each([
    [["list", "--state", "odd"], "There is no state"],
    [["list", "--limit", "0"], "--limit is from 1 to 1000"],
    [["show", "none"], "is not the id of a command"],
    [["enqueue", "explode", "demo"], "There is no command"],
  ])("refuses %j with a sentence", async (args, sentence) => {
    const { code, stderr } = await one.print("command", ...args);
    expect(code).toBe(EXIT.USAGE);
    expect(stderr).toContain(sentence);
  });
});
