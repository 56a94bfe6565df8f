// The frame of every page: head, navigation, and the sentence that says whether all is well.
import { Html, html, type Part } from "./html.ts";
import { command, type Tone } from "./said.ts";

const PLACES = [
  ["/status", "At a glance"],
  ["/status/repositories", "Repositories"],
  ["/status/commands", "Commands"],
] as const;

/** The path of a page in the navigation. */
export type Place = (typeof PLACES)[number][0];

export interface Page {
  readonly title: string;
  readonly place: Place;
  /** The device whose sidecar answers. */
  readonly device: string;
  /** Whether all is well. Screen readers are told when it changes. */
  readonly verdict: { readonly tone: Tone; readonly said: string };
  readonly body: Part;
  /** When what is shown was read. undefined: there is nothing to show. */
  readonly at: Date | undefined;
}

const MARKS: Readonly<Record<Tone, string>> = { good: "✓", note: "✓", warn: "!", bad: "!" };

/** Returns the whole page as text. */
export function framed({ title, place, device, verdict, body, at }: Page): string {
  const time = at?.toISOString();
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${verdict.tone === "bad" || verdict.tone === "warn" ? "(!) " : ""}${title} · Lockstep on ${device}</title>
<link rel="stylesheet" href="/status/files/status.css">
<link rel="icon" type="image/svg+xml" href="/status/files/icon.svg">
<script src="/status/files/morphdom.js" defer></script>
<script src="/status/files/status.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="brand"><a href="/status">Lockstep</a></p>
<nav aria-label="Pages"><ul>${PLACES.map(
    ([path, name]) => html`<li><a href="${path}"${path === place && new Html(' aria-current="page"')}>${name}</a></li>`,
  )}</ul></nav>
<p class="from">as <b>${device}</b> sees it${time && html`, <time id="read-at" datetime="${time}" title="${time}">${time.slice(11, 19)} UTC</time>`} <span id="live" class="still">as of when the page was loaded</span></p>
</header>
<main id="content" tabindex="-1">
<div class="verdict ${verdict.tone}"><span class="mark" aria-hidden="true">${MARKS[verdict.tone]}</span><p id="verdict" role="status" aria-live="polite">${verdict.said}</p></div>
${body}
</main>
<footer><p>Read-only. The same numbers: ${command("lockstep status")} and ${command("lockstep repo show NAME")}.</p></footer>
</body>
</html>
`.text;
}
