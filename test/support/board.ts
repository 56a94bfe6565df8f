// Reads the queries of the Grafana board.
import { readFileSync } from "node:fs";

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface BoardQuery {
  readonly panel: string;
  readonly legend: string;
  readonly expr: string;
}

/** The board as it is shipped. */
export const BOARD = JSON.parse(
  readFileSync(new URL("../../deploy/grafana/lockstep.json", import.meta.url), "utf8"),
) as {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
};

/** Returns all queries of the board. With `filled`, Grafana's variables stand for all devices and a minute. */
export function boardQueries({ filled = false } = {}): BoardQuery[] {
  const fill = (expr: string) => expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$(job|instance)\b/g, ".*");
  const panels = BOARD.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ panel: title, legend: legendFormat, expr })),
  );
  const notes = BOARD.annotations.list.map(({ expr }) => ({ panel: "annotations", legend: "", expr }));
  return [...panels, ...notes].map((query) => (filled ? { ...query, expr: fill(query.expr) } : query));
}
