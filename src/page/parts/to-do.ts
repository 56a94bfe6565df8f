// The list of what an operator should do now.
import { type Html, html } from "./html.ts";
import { command, NOTHING, state, type Tone } from "./said.ts";

/** A command to type, and when. */
export type Step = string | readonly [when: string, command: string];

/** Something that an operator should know. */
export interface Finding {
  readonly tone: Exclude<Tone, "good">;
  /** A few words, for the sentence at the top. */
  readonly short: string;
  readonly what: Html;
  readonly commands: readonly Step[];
  /** A page with more about it. */
  readonly more?: string;
}

const WORDS = { bad: "act now", warn: "look", note: "know" } as const;

/** Makes the list of what to do, or nothing. */
export function toDo(findings: readonly Finding[]): Html {
  if (findings.length === 0) return NOTHING;
  return html`<section aria-labelledby="to-do"><h2 id="to-do">What to do</h2><ol class="to-do">${findings.map(
    ({ tone, what, commands, more }) =>
      html`<li class="${tone}">${state(tone, WORDS[tone])}<div><p>${what}${more && html` <a href="${more}">Details</a>`}</p>${commands.map(
        (step) =>
          typeof step === "string"
            ? html`<p class="step">${command(step)}</p>`
            : html`<p class="step">${step[0]} ${command(step[1])}</p>`,
      )}</div></li>`,
  )}</ol></section>
`;
}
