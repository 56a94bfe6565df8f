// The errors about keys: a caller is not let in, or a change that an operator asks for is refused.
import { LockstepError } from "../../errors.ts";
import type { Name, Standing, TrustOutcome } from "../../store/registry/registry.ts";

/** Makes the error of a key that was not trusted. */
export function refusedTrustError(
  name: Name,
  outcome: Exclude<TrustOutcome, "trusted">,
  waiting: readonly string[],
): LockstepError {
  const who = `${name.role} ${name.name}`;
  const show = `lockstep ${name.role} show ${name.name}`;
  const details = { role: name.role, name: name.name };
  switch (outcome) {
    case "unknown":
      return new LockstepError(
        "KEY_NOT_FOUND",
        `No key of ${who} waits for a yes; give its certificate with --cert, or the fingerprint of its key with --key-fingerprint.`,
        { details },
      );
    case "several":
      return new LockstepError(
        "KEY_CONFLICT",
        `Several keys of ${who} wait (${waiting.join(", ")}), and not all can be right; name the one of that machine with --key-fingerprint.`,
        { details },
      );
    case "full":
      return new LockstepError(
        "KEY_CONFLICT",
        `${who[0]?.toUpperCase()}${who.slice(1)} has two trusted keys already, so nothing was changed; revoke one of them first (\`${show}\` lists them).`,
        { details },
      );
    case "taken":
      return new LockstepError(
        "KEY_CONFLICT",
        `This ssh key is trusted for another name already, so nothing was changed; make a key of its own for ${who}.`,
        { details },
      );
  }
}

/** Makes the error of a key, or a name, that is not in the registry. */
export function unknownKeyError({ role, name }: Name, fingerprint: string | undefined): LockstepError {
  return new LockstepError(
    "KEY_NOT_FOUND",
    fingerprint === undefined
      ? `The ${role} ${name} has no key in the registry, so nothing was changed; \`lockstep ${role} list\` shows the names.`
      : `The ${role} ${name} has no key ${fingerprint}, so nothing was changed; \`lockstep ${role} show ${name}\` lists its keys.`,
    { details: { role, name } },
  );
}

/** How this sidecar's copy of the registry has a key. removed: its device was removed from the cluster. */
export type KnownStanding = Standing | "removed";

/** Makes the error of a caller whose key is not trusted. undefined: it is. */
export function refusalError(
  { identity, key }: { identity: Name; key: { fingerprint: string } },
  standing: KnownStanding,
): LockstepError | undefined {
  if (standing === "trusted") return undefined;
  const { role, name } = identity;
  const who = `${role} ${name}`;
  const yes = `\`lockstep ${role} trust ${name}\` on any device lets it in`;
  const message = {
    removed: `The device ${name} was removed from the cluster; \`lockstep device undrain ${name}\` on any device takes it back.`,
    revoked: `The key ${key.fingerprint} of ${who} was revoked; ${yes} again.`,
    waiting: `Nobody has trusted the key ${key.fingerprint} of ${who} yet; ${yes}.`,
  }[standing];
  return new LockstepError("UNAUTHENTICATED", message, { details: { role, name, key: key.fingerprint, standing } });
}

/** Makes the error of a caller who is new while this device has not read the registry for so long. */
export function staleError(staleMs: number): LockstepError {
  return new LockstepError(
    "DATABASE_UNAVAILABLE",
    `This device could not read the registry of keys for ${staleMs / 1000} s, so it lets nobody new in; try again when PostgreSQL answers.`,
  );
}
