// Runs one client: it carries out plans one after another. It knows only the results of its own pushes and reads.
import type { Device } from "../support/cluster-device.ts";
import type { Client, Sight } from "./client.ts";
import type { Commits } from "./commits.ts";
import { type Change, type OperationKind, type Result, registerOf, type Value } from "./history.ts";
import { aliasOf, NAMES, scopeOf } from "./odd-names.ts";
import { isRead, type Plan } from "./plan.ts";
import type { Recorder } from "./recorder.ts";
import type { Asked, Told } from "./told.ts";
import { changeInSession } from "./write-session.ts";

export interface SessionOptions {
  readonly client: Client;
  readonly commits: Commits;
  readonly recorder: Recorder;
  readonly deviceOf: (name: string) => Device;
  /** Returns the present name of a repository. */
  readonly nameOf: (repository: string) => string;
  /** Symbolic refs that stay symbolic, as `repository name`. */
  readonly aliases: ReadonlySet<string>;
}

/** A push or a write session with all its details. `forced` overwrites any value. */
export interface Push {
  readonly operation: OperationKind;
  readonly device: string;
  readonly repository: string;
  readonly asked: readonly Asked[];
  readonly forced?: true;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #beliefs = new Map<string, Value>();
  /** Repositories that the client must read again: another client changed them, or a push has an unknown result. */
  readonly #stale = new Set<string>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Carries out a plan on the refs of `generation` and returns its result. */
  async perform(plan: Plan, generation: number): Promise<Result> {
    const { device, repository } = plan;
    const scope = scopeOf(generation);
    if (isRead(plan.operation)) return await this.read(plan.operation, device, repository, scope);
    if (this.#stale.delete(repository)) return await this.read("ls-remote", device, repository, scope);
    return await this.push(await this.#pushOf(plan, generation));
  }

  async push({ operation, device, repository, asked, forced }: Push): Promise<Result> {
    const { client, recorder, deviceOf, nameOf } = this.#options;
    const name = nameOf(repository);
    const leases = asked
      .filter(({ demanded }) => demanded)
      .map(({ ref, alias = ref, believed }) => `--force-with-lease=${alias}:${believed ?? ""}`);
    const options = [...leases, ...(forced ? ["--force"] : []), ...(operation === "atomic" ? ["--atomic"] : [])];
    const [id, invoked] = [recorder.nextOperation(), recorder.now()];
    const { told, said } =
      operation === "session"
        ? await changeInSession(deviceOf(device), client, name, asked, options)
        : await client.push(deviceOf(device).url(name), asked, options);
    const returned = recorder.now();
    const changes = asked.map((each, index) => changeOf(each, told[index]!));
    const result = resultOf(changes);
    const entry = { id, client: client.name, device, repository, operation, invoked, returned, result, changes };
    recorder.addOperation(result === "ok" ? entry : { ...entry, said });
    for (const { ref, new: value, result } of changes) {
      if (result === "ok") this.#beliefs.set(registerOf(repository, ref), value);
      else this.#stale.add(repository);
    }
    return result;
  }

  async read(
    operation: "ls-remote" | "fetch" | "clone",
    device: string,
    repository: string,
    scope: string,
  ): Promise<Result> {
    const { client, recorder, deviceOf, nameOf } = this.#options;
    const ways: Record<typeof operation, (url: string) => Promise<Sight>> = {
      "ls-remote": (url) => client.lsRemote(url, scope),
      fetch: (url) => client.fetch(url, scope),
      clone: (url) => client.clone(url, scope),
    };
    const [id, invoked] = [recorder.nextOperation(), recorder.now()];
    const { refs, said } = await ways[operation](deviceOf(device).url(nameOf(repository)));
    const returned = recorder.now();
    const entry = { id, client: client.name, device, repository, operation, invoked, returned };
    if (refs === undefined) {
      recorder.addOperation({ ...entry, result: "failed", said });
      return "failed";
    }
    recorder.addOperation({ ...entry, result: "ok", scope, refs });
    for (const register of [...this.#beliefs.keys()]) {
      if (register.startsWith(registerOf(repository, scope))) this.#beliefs.delete(register);
    }
    for (const [ref, value] of Object.entries(refs)) this.#beliefs.set(registerOf(repository, ref), value);
    return "ok";
  }

  async #pushOf(
    { operation, device, repository, refs, lease, deletes, byAlias }: Plan,
    generation: number,
  ): Promise<Push> {
    const names = refs.map((ref) => `${scopeOf(generation)}${NAMES[ref]}`);
    const believed = names.map((ref) => this.#beliefs.get(registerOf(repository, ref)) ?? null);
    const alias = aliasOf(generation);
    const hasAlias = byAlias && this.#options.aliases.has(registerOf(repository, alias));
    const ofSeveral = operation === "atomic" || operation === "session";
    const deletesFirst = believed[0] !== null && (operation === "delete" || (ofSeveral && deletes));
    const asked = await Promise.all(
      names.map(async (ref, index): Promise<Asked> => {
        const isDeleted = deletesFirst && index === 0;
        const value = isDeleted ? null : await this.#newValue(operation === "force" ? null : believed[index]!);
        // The report of a plain deletion does not say which value it deleted, so the old value is demanded.
        const demanded = operation !== "force" && (lease || isDeleted);
        const asked = { ref, believed: believed[index]!, demanded, new: value };
        return hasAlias && refs[index] === 0 && !isDeleted ? { ...asked, alias } : asked;
      }),
    );
    if (ofSeveral) return { operation, device, repository, asked };
    if (operation === "force") return { operation, device, repository, asked, forced: true };
    const kind = deletesFirst ? "delete" : believed[0] === null ? "create" : "update";
    return { operation: kind, device, repository, asked };
  }

  async #newValue(parent: Value): Promise<string> {
    return await this.#options.commits.make(parent, this.#options.client.name);
  }
}

function changeOf({ ref, believed, demanded, new: value }: Asked, { result, old, mismatch }: Told): Change {
  const known = old !== undefined ? old : demanded || mismatch ? believed : undefined;
  return { ref, new: value, result, ...(known !== undefined && { old: known }), ...(mismatch && { mismatch }) };
}

/** Returns the result of a whole push. It is unknown if any part is unknown. */
function resultOf(changes: readonly Change[]): Result {
  if (changes.some(({ result }) => result === "unknown")) return "unknown";
  return changes.every(({ result }) => result === "ok") ? "ok" : "failed";
}
