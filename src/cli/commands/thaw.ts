// `lockstep thaw`: an operator decides which refs stay, after leaders are lost or the database has lost writes.
import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { LockstepError } from "../../errors.ts";
import type { ThawResponse__Output as Thaw } from "../../generated/lockstep/v1/ThawResponse.ts";
import type { Host } from "../../host.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { showWhile } from "../terminal/progress.ts";
import { describeThaw, documentOfThaw } from "../text/thaw-plan.ts";

/** Making a plan walks over commits, and landing it waits for a catch-up. */
const PATIENCE_MS = 600_000;

interface Wish {
  readonly repository: string;
  readonly promote: string;
  readonly demote: readonly string[];
  readonly author: string;
}

/** Makes the command `lockstep thaw`. */
export function thawCommand(host: Host): Command {
  const several = (value: string, before: string[]) => [...before, ...value.split(",").filter(Boolean)];
  return subcommand(
    "thaw",
    "choose which refs stay, after the devices with the head are lost or the database has lost writes",
    "lockstep thaw team/app --demote repo001",
  )
    .argument("[names...]")
    .option("--all", "all repositories that wait for this decision")
    .option(
      "--demote <device>",
      "give up the versions that only this device holds; repeat it for several devices",
      several,
      [],
    )
    .option("--promote <device>", "keep the refs on the disk of this device (the one of this sidecar)", "")
    .option("--yes", "do it without a question")
    .action(async (named: string[], flags: Flags) => {
      const run = prepare(host, "thaw", flags);
      if ((flags.promote === "") === (flags.demote.length === 0))
        throw new LockstepError("USAGE", "Name either a device to --promote or one or more to --demote.");
      if ((flags.all === true) === named.length > 0)
        throw new LockstepError("USAGE", "Name either repositories, or --all for all that are concerned.");
      using client = await run.connect();
      const names = flags.all ? await listConcerned(run, client, flags) : named;
      const author = authorOf(host);
      const wishes = names.map((repository) => ({
        repository,
        promote: flags.promote,
        demote: flags.demote,
        author,
      }));
      const place = (index: number) => `${wishes[index]?.repository} (${index + 1} of ${wishes.length})`;
      const plans: Thaw[] = [];
      for (const [index, wish] of wishes.entries())
        plans.push(await showWhile(run, `looking at ${place(index)}`, ask(run, client, wish, "")));
      if (flags.yes !== true && wishes.length > 0) await confirm(run, wishes, plans);
      const done: Thaw[] = [];
      for (const [index, plan] of plans.entries()) {
        const decided = carryOut(run, client, { wishes, index, confirmation: plan.confirmation });
        done.push(await showWhile(run, `changing ${place(index)}`, decided));
      }
      const text = wishes.map(({ repository }, index) => outcome(repository, done[index] as Thaw)).join("\n");
      run.print({ repositories: documents(wishes, done) }, text);
    });
}

type Flags = {
  readonly demote: string[];
  readonly promote: string;
  readonly all?: boolean;
  readonly yes?: boolean;
};

/** Returns the repositories about which an operator has to decide, and can with these devices. */
async function listConcerned(run: Run, client: Client, { promote, demote }: Flags): Promise<string[]> {
  const asked = { promote, demote: [...demote] };
  const { repositories } = await client.call("ListThawable", asked, run.patience);
  if (repositories.length === 0)
    run.host.stderr.write("There is nothing to decide: no repository waits for these devices.\n");
  return repositories;
}

/** Carries one plan out. If it fails, tells what was done before: the same command again does the rest. */
async function carryOut(
  run: Run,
  client: Client,
  { wishes, index, confirmation }: { wishes: readonly Wish[]; index: number; confirmation: string },
): Promise<Thaw> {
  try {
    return await ask(run, client, wishes[index] as Wish, confirmation);
  } catch (error) {
    const done = wishes.slice(0, index).map(({ repository }) => repository);
    if (done.length > 0)
      run.host.stderr.write(`Done: ${done.join(", ")}. Not done: ${wishes.length - index} more; repeat the command.\n`);
    throw error;
  }
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
