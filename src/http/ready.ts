// The answer to a probe that asks whether a process can serve.
import type { ServerResponse } from "node:http";
import { describe } from "../errors.ts";
import { visible } from "../io/visible.ts";
import { say } from "./say.ts";

export interface Readiness {
  /** Returns true when this process takes calls. */
  readonly serving: () => boolean;
  /** Checks by name. Each throws when something is missing. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
}

/** Runs the checks and answers 200 or 503. Parameters: verbose names every check, each exclude=NAME leaves one out. */
export async function answerReady(
  response: ServerResponse,
  { serving, checks }: Readiness,
  parameters: URLSearchParams,
): Promise<void> {
  const verbose = parameters.has("verbose");
  const excluded = parameters.getAll("exclude");
  const unknown = excluded.find((name) => !Object.hasOwn(checks, name));
  if (unknown !== undefined) {
    const names = Object.keys(checks).join(", ");
    return say(response, 400, `There is no check ${visible(unknown)} to exclude; the checks are ${names}.`);
  }
  const asked = Object.entries(checks).filter(([name]) => !excluded.includes(name));
  const results = await Promise.all(
    asked.map(async ([name, check]) => {
      try {
        await check();
        return { name, failure: "" };
      } catch (error) {
        return { name, failure: describe(error) };
      }
    }),
  );
  const all = [{ name: "serving", failure: serving() ? "" : "starting or stopping" }, ...results];
  const failed = all.filter(({ failure }) => failure !== "");
  const lines = (verbose ? all : failed).map(({ name, failure }) =>
    failure === "" ? `[+] ${name}` : `[-] ${name}: ${failure}`,
  );
  say(response, failed.length === 0 ? 200 : 503, [...lines, failed.length === 0 ? "ok" : "not ready"].join("\n"));
}
