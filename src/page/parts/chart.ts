// Draws the catch-ups of a replica as bars: how long each took, and which failed.
import { type Html, html } from "./html.ts";
import { count, duration } from "./said.ts";

export interface Bar {
  readonly ms: number;
  readonly failed: boolean;
  /** The words that the browser shows under the mouse. */
  readonly title: string;
}

const WIDTH = 6;
const GAP = 2;
const HEIGHT = 40;
/** The bars of a chart, also where there were fewer catch-ups. */
const BARS = 32;
const LEAST = 2;

/** Draws bars, the oldest at the left. Short and long ones can be told apart, since the height grows with the root. */
export function chart(label: string, bars: readonly Bar[]): Html {
  const most = Math.max(1, ...bars.map(({ ms }) => ms));
  const failed = bars.filter((bar) => bar.failed).length;
  const said = `${label}: ${count(bars.length, "catch-up")}, ${failed} failed, the longest took ${duration(most)}`;
  const width = BARS * (WIDTH + GAP);
  return html`<svg class="chart" role="img" aria-label="${said}" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}"><line class="base" x1="0" y1="${HEIGHT - 0.5}" x2="${width}" y2="${HEIGHT - 0.5}"/>${bars
    .slice(-BARS)
    .map(({ ms, failed: isFailed, title }, place, { length }) => {
      const height = Math.max(LEAST, Math.round(Math.sqrt(ms / most) * (HEIGHT - 2)));
      const x = (BARS - length + place) * (WIDTH + GAP);
      // A failed one is hollow too, for those who cannot tell the colours.
      return html`<rect class="${isFailed ? "failed" : "ok"}" x="${x + (isFailed ? 0.75 : 0)}" y="${HEIGHT - height}" width="${isFailed ? WIDTH - 1.5 : WIDTH}" height="${height - 1}"><title>${title}</title></rect>`;
    })}</svg>`;
}
