// Makes odd refs: symbolic refs in write sessions, and replacement refs, also hostile ones.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gitSandbox } from "../support/git.ts";
import { pushOverHttp } from "../support/raw-push.ts";
import type { FaultContext, Make } from "./fault-context.ts";
import type { Result, Value } from "./history.ts";
import { aliasOf, NAMES, scopeOf } from "./odd-names.ts";
import { runInSession } from "./write-session.ts";

const CLIENT = "odd";
const NOBODY_HAS = "1234567890123456789012345678901234567890";
const PAUSE_MS = 100;

/** Makes the alias of the generation if it has none. Else makes, changes or deletes another symbolic ref. */
export const changeSymbolicRefs: Make = async (context, { repository, device, choice, lasts }) => {
  const { aliases, generation } = context;
  await delay(lasts);
  const now = generation();
  const drawn = Math.floor(choice * 10_000);
  const target = `${scopeOf(now)}${NAMES[drawn % NAMES.length]}`;
  const alias = aliasOf(now);
  if (!aliases.has(`${repository} ${alias}`)) {
    const result = await changeInSession(context, device, repository, alias, `${scopeOf(now)}${NAMES[0]}`);
    // No other code makes or deletes this alias.
    if (result === "ok") aliases.add(`${repository} ${alias}`);
    return `${alias}: ${result}`;
  }
  const names = ["HEAD", "refs/heads/odd/one", "refs/heads/odd/two", "refs/odd/deep/three"];
  const name = names[Math.floor(drawn / NAMES.length) % names.length]!;
  const deletes = name !== "HEAD" && drawn % 7 === 0;
  const result = await changeInSession(context, device, repository, name, deletes ? null : target);
  return `${name} to ${deletes ? "nothing" : target}: ${result}`;
};

async function changeInSession(
  { cluster, recorder, placed }: FaultContext,
  device: string,
  repository: string,
  name: string,
  target: Value,
): Promise<Result> {
  const [id, invoked] = [recorder.nextOperation(), recorder.now()];
  const args = target === null ? ["symbolic-ref", "--delete", name] : ["symbolic-ref", name, target];
  const { result, said } = await runInSession(
    cluster.member(device).host.device,
    CLIENT,
    placed.nameOf(repository),
    args,
  );
  const value = target === null ? null : `ref: ${target}`;
  const change = { ref: name, new: value, result };
  const entry = { id, client: CLIENT, device, repository, operation: "session" as const, invoked, result };
  recorder.addOperation({ ...entry, returned: recorder.now(), changes: [change], ...(said && { said }) });
  return result;
}

/**
 * Pushes a replacement ref, and then the commit that it replaces, without the objects that this commit needs. No git
 * would push that. A server that follows replacements would take the commit for whole, but nobody could fetch it.
 */
export const pushReplacement: Make = async ({ cluster, commits, recorder, placed }, { repository, device, choice }) => {
  await using git = await gitSandbox();
  const dir = await git.bare("pusher");
  await writeFile(join(dir, "objects/info/alternates"), `${commits.directory}\n`);
  const by = await commits.make(null, CLIENT);
  const tip = choice < 0.6 ? await commits.make(NOBODY_HAS, CLIENT) : await commits.make(by, CLIENT);
  const url = cluster.member(device).host.device.url(placed.nameOf(repository));
  const objects = [by, ...commits.contentsOf(by)];
  const needed = [tip, ...commits.contentsOf(tip)];
  const push = async (ref: string, value: string, objects: readonly string[]): Promise<Result> => {
    const [id, invoked] = [recorder.nextOperation(), recorder.now()];
    const said = await pushOverHttp(git, dir, url, { commands: [{ name: ref, newId: value }], objects }).catch(String);
    const result = said.includes(`ok ${ref}`) ? "ok" : said.includes(`ng ${ref}`) ? "failed" : "unknown";
    recorder.addOperation({
      ...{ id, client: CLIENT, device, repository, operation: "create", invoked, returned: recorder.now(), result },
      changes: [{ ref, old: null, new: value, result }],
      said: said.slice(-400),
    });
    return result;
  };
  const replaced = await push(`refs/replace/${tip}`, by, objects);
  await delay(PAUSE_MS);
  const landed = await push(`refs/heads/odd/replaced-${tip.slice(0, 8)}`, tip, [...needed, ...objects]);
  return `${choice < 0.6 ? "of what nobody has" : "of a whole commit"}: ${replaced}, then ${landed}`;
};
