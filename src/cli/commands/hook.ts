import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Hook__Output as Hook } from "../../generated/lockstep/v1/Hook.ts";
import type { Host } from "../../host.ts";
import { visible } from "../../io/visible.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { table } from "../terminal/styled.ts";
import { instant } from "../text/times.ts";
import { VISIBLE } from "./watch.ts";

/** Makes the command `lockstep hook`. */
export function hookCommand(host: Host): Command {
  return new Command("hook")
    .description("webhooks: tell a CI or another service what landed")
    .addHelpText("after", "\nExample:\n  lockstep hook add https://ci.example.com/lockstep --repository 'team/*'\n")
    .addCommand(addCommand(host))
    .addCommand(listCommand(host))
    .addCommand(removeCommand(host));
}

function addCommand(host: Host): Command {
  return subcommand(
    "add",
    "post an event to a URL for each version that lands from now on",
    "lockstep hook add https://ci.example.com/lockstep --repository 'team/*' --secret-file ci.secret",
    "hook",
  )
    .argument("[url]", "https or http; redirects are not followed")
    .option("--url-file <file>", "file with the URL instead, if it has a password or another secret in it")
    .option(
      "--repository <glob>",
      "only this repository, or those that the glob with * and ? matches; may be repeated (default: all)",
      (glob: string, globs: string[] = []) => [...globs, glob],
    )
    .option("--secret-file <file>", "file with the secret that signs the events (default: one is made and shown once)")
    .addOption(
      new Option("--visible <when>", "post a version when every live device holds it, or as soon as it has landed")
        .choices(Object.keys(VISIBLE))
        .default("everywhere"),
    )
    .action(async (argument: string | undefined, flags: AddFlags) => {
      const run = prepare(host, "hook", flags);
      const at = (path: string | undefined) => (path === undefined ? undefined : resolve(host.cwd, path));
      const url = await urlOf(argument, at(flags.urlFile));
      const secretFile = at(flags.secretFile);
      const secret = secretFile === undefined ? "" : await readOneLine(secretFile, "--secret-file", "secret");
      using client = await run.connect();
      const repositories = flags.repository ?? [];
      const request = { url, repositories, secret, visible: VISIBLE[flags.visible], author: authorOf(host) };
      const { hook, secret: made } = await client.call("AddHook", request, run.patience);
      if (!hook) throw new LockstepError("INTERNAL", "The sidecar answered without a hook; see its log.");
      const lines = [`Added hook ${hook.id}: ${describeHook(hook)}.`];
      if (made !== "") lines.push(`Its secret, which is not shown again: ${made}`);
      run.print({ ...documentOf(hook), ...(made !== "" && { secret: made }) }, lines.join("\n"));
    });
}

type AddFlags = {
  readonly repository?: string[];
  readonly urlFile?: string;
  readonly secretFile?: string;
  readonly visible: keyof typeof VISIBLE;
};

/** Returns the URL of the command line or of a file. Throws USAGE on a password that other users could see. */
async function urlOf(argument: string | undefined, file: string | undefined): Promise<string> {
  if (argument !== undefined && file === undefined) {
    refusePassword(argument, "write the URL into a file, and give --url-file");
    return argument;
  }
  if (argument === undefined && file !== undefined) return await readOneLine(file, "--url-file", "URL");
  throw new LockstepError("USAGE", "`lockstep hook add` takes a URL, or --url-file with a file; give one of them.");
}

function refusePassword(url: string, then: string): void {
  const { username = "", password = "" } = URL.canParse(url) ? new URL(url) : {};
  if (username === "" && password === "") return;
  throw new LockstepError(
    "USAGE",
    `A name or a password in a URL on the command line can be read by every user of this machine; ${then}.`,
  );
}

async function readOneLine(path: string, flag: string, what: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new LockstepError("USAGE", `The file ${path} of ${flag} cannot be read; correct it.`, { cause });
  });
  // Editors and `echo` end a file with a newline.
  const line = text.replace(/\r?\n$/, "");
  if (line !== "") return line;
  throw new LockstepError("USAGE", `The file ${path} of ${flag} is empty; write the ${what} into it.`);
}

function listCommand(host: Host): Command {
  return subcommand("list", "list the webhooks, and how far their deliveries are", "lockstep hook list", "hook").action(
    async (flags) => {
      const run = prepare(host, "hook", flags);
      using client = await run.connect();
      const { hooks } = await client.call("ListHooks", {}, run.patience);
      const text =
        hooks.length === 0
          ? "There is no webhook yet; `lockstep hook add URL` adds one."
          : table(["id", "url", "events", "delivered", "state"], hooks.map(rowOf));
      run.print({ hooks: hooks.map(documentOf) }, text);
    },
  );
}

function removeCommand(host: Host): Command {
  return subcommand("remove", "remove a webhook", "lockstep hook remove https://ci.example.com/lockstep", "hook")
    .argument("<hook>", "id or URL")
    .action(async (name: string, flags) => {
      const run = prepare(host, "hook", flags);
      refusePassword(name, "give the id that `lockstep hook list` shows");
      using client = await run.connect();
      const { hook } = await client.call("RemoveHook", { hook: name }, run.patience);
      if (!hook) throw new LockstepError("INTERNAL", "The sidecar answered without a hook; see its log.");
      run.print(documentOf(hook), `Removed hook ${hook.id}: ${describeHook(hook)}.`);
    });
}

function visibleOf(hook: Hook): string {
  return hook.visible === VISIBLE.landed ? "landed" : "everywhere";
}

function describeHook(hook: Hook): string {
  const which = hook.repositories.length === 0 ? "all repositories" : hook.repositories.join(", ");
  const when = visibleOf(hook) === "landed" ? "once it has landed" : "once every live device holds it";
  return `${visible(hook.url)} is told of each version of ${which} ${when}`;
}

function documentOf(hook: Hook) {
  const time = (at: unknown) => (at ? instant(at) : null);
  return {
    id: hook.id,
    url: hook.url,
    repositories: hook.repositories,
    visible: visibleOf(hook),
    author: hook.author,
    created_at: instant(hook.createdAt),
    device: hook.device || null,
    delivered: Number(hook.delivered),
    delivered_at: time(hook.deliveredAt),
    attempts: hook.attempts,
    next_attempt_at: time(hook.nextAttemptAt),
    last_error: hook.lastError || null,
    missed_at: time(hook.missedAt),
    waiting: hook.waiting,
    cursor: hook.cursor,
  };
}

function rowOf(hook: Hook): string[] {
  const which = hook.repositories.length === 0 ? "all" : hook.repositories.join(", ");
  const state = [
    hook.attempts > 0
      ? `failed ${hook.attempts} times, next attempt ${instant(hook.nextAttemptAt)}: ${hook.lastError}`
      : hook.device === ""
        ? "no device delivers it at the moment"
        : "ok",
    hook.waiting > 0 ? `${hook.waiting} repositories wait for a device that \`lockstep status\` names` : "",
    hook.missedAt ? `events were missed at ${instant(hook.missedAt)}` : "",
  ];
  return [hook.id, hook.url, `${which}, ${visibleOf(hook)}`, String(hook.delivered), state.filter(Boolean).join("; ")];
}
