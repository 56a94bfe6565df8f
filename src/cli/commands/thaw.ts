// `lockstep thaw`: an operator decides which refs stay, after leaders are lost or the database has lost writes.
import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { LockstepError } from "../../errors.ts";
import type { ThawResponse__Output as Thaw } from "../../generated/lockstep/v1/ThawResponse.ts";
import type { Host } from "../../host.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { describeThaw, documentOfThaw } from "./thaw-plan.ts";

/** Making a plan walks over commits, and landing it waits for a catch-up. */
const PATIENCE_MS = 600_000;

interface Wish {
  readonly repository: string;
  readonly promote: string;
  readonly demote: readonly string[];
  readonly author: string;
}

export function thawCommand(host: Host): Command {
  const several = (value: string, before: string[]) => [...before, ...value.split(",").filter(Boolean)];
  return subcommand(
    "thaw",
    "choose which refs stay, after the devices with the head are lost or the database has lost writes",
    "lockstep thaw team/app --demote repo001",
  )
    .argument("<names...>")
    .option(
      "--demote <device>",
      "give up the versions that only this device holds; repeat it for several devices",
      several,
      [],
    )
    .option("--promote <device>", "keep the refs on the disk of this device (the one of this sidecar)", "")
    .option("--yes", "do it without a question")
    .action(async (names: string[], flags: { demote: string[]; promote: string; yes?: boolean }) => {
      const run = prepare(host, "thaw", flags);
      if ((flags.promote === "") === (flags.demote.length === 0))
        throw new LockstepError("USAGE", "Name either a device to --promote or one or more to --demote.");
      using client = await run.connect();
      const author = authorOf(host);
      const wishes = names.map((repository) => ({
        repository,
        promote: flags.promote,
        demote: flags.demote,
        author,
      }));
      const plans: Thaw[] = [];
      for (const wish of wishes) plans.push(await ask(run, client, wish, ""));
      if (flags.yes !== true) await confirm(run, wishes, plans);
      const done: Thaw[] = [];
      for (const [index, wish] of wishes.entries())
        done.push(await ask(run, client, wish, plans[index]?.confirmation ?? ""));
      const text = wishes.map(({ repository }, index) => outcome(repository, done[index] as Thaw)).join("\n");
      run.print({ repositories: documents(wishes, done) }, text);
    });
}

async function ask(run: Run, client: Client, wish: Wish, confirmation: string): Promise<Thaw> {
  const request = { ...wish, demote: [...wish.demote], confirmation };
  return await client.call("Thaw", request, { timeoutMs: PATIENCE_MS, signal: run.host.stop });
}

/** Shows the plans. Throws what `askForYes` throws unless the operator types yes. */
async function confirm(run: Run, wishes: readonly Wish[], plans: readonly Thaw[]): Promise<void> {
  const shown = wishes.map((wish, index) => describeThaw(wish.repository, plans[index] as Thaw)).join("\n\n");
  run.print({ repositories: documents(wishes, plans) }, shown);
  await askForYes(run);
}

function documents(wishes: readonly Wish[], thaws: readonly Thaw[]) {
  return wishes.map(({ repository }, index) => documentOfThaw(repository, thaws[index] as Thaw));
}

function outcome(repository: string, { version, keeperDevice }: Thaw): string {
  return (
    `${repository} is at version ${version}, with the refs of ${keeperDevice}. ` +
    `Each device that has the refs given up keeps them below refs/lockstep/lost/${version}/, now or when it returns.`
  );
}
