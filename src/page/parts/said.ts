// Says times, sizes, lists and commands as people read them.
import { Html, html, type Part } from "./html.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW_MS = 2_000;

/** Says how long something takes: 12 ms, 3.4 s, 5 min, 2 h, 3 days. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / 1_000)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} days`;
}

/** Says an age. Parts of seconds would only flicker. */
function whole(ms: number): string {
  return ms < MINUTE ? `${Math.floor(ms / 1_000)} s` : duration(ms);
}

/** Says how long ago a time is. The exact time stands beside it, for programs and for the mouse. */
export function ago(at: Date): Html {
  const iso = at.toISOString();
  const ms = Date.now() - at.getTime();
  return html`<time datetime="${iso}" title="${iso}">${ms < NOW_MS ? "just now" : `${whole(ms)} ago`}</time>`;
}

/** Says for how long something has been so. */
export function since(at: Date): Html {
  const iso = at.toISOString();
  return html`<time datetime="${iso}" title="since ${iso}">${whole(Math.max(NOW_MS, Date.now() - at.getTime()))}</time>`;
}

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Says a number of bytes: 640 B, 1.2 MB. */
export function size(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[step]}`;
}

/** Says a count with its noun: 1 device, 1,204 repositories. */
export function count(many: number | bigint, one: string, several = `${one}s`): string {
  return `${many.toLocaleString("en-US")} ${Number(many) === 1 ? one : several}`;
}

const NAMED = 3;

/** Names some things: a, b and 4 more. */
export function named(names: readonly string[], most = NAMED): string {
  if (names.length > most)
    return `${names.slice(0, most).join(", ")} and ${count(names.length - most, "more", "more")}`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Returns one word of a command for a shell. Words that a shell might take for something else are quoted. */
export function word(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A state in a word, with a colour and a sign of its own. */
export type Tone = "good" | "note" | "warn" | "bad";

const SIGNS: Readonly<Record<Tone, string>> = { good: "●", note: "◆", warn: "▲", bad: "✖" };

/** Returns a state. The word tells it; the colour and the sign only help to find it. */
export function state(tone: Tone, text: Part): Html {
  return html`<span class="state ${tone}"><span class="sign" aria-hidden="true">${SIGNS[tone]}</span> ${text}</span>`;
}

/** Returns the address of the page of a repository. */
export function repositoryAddress(name: string): string {
  return `/status/repositories/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/** Returns the name of a repository as a link to its page. */
export function repositoryLink(name: string): Html {
  return html`<a href="${repositoryAddress(name)}"><bdi>${name}</bdi></a>`;
}

/** Returns a command to type. */
export function command(text: string): Html {
  return html`<code class="command">${text}</code>`;
}

export const NOTHING = new Html("");
