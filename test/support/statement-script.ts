// Runs the statements of a device through a function of its test.
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { FramingOptions, StatementClient } from "../../src/store/database/statement.ts";

/** Intercepts a statement of a device: gets its text and the function that runs it. */
export type StatementScript = (text: string, run: () => Promise<unknown>) => Promise<unknown>;

/** For up to so long a statement of the background is held back, to find tests that race with it. */
const LATE_MS = Number(process.env.LOCKSTEP_TEST_LATE_MS ?? 0);
/** The record of a version, and the end of a write that was given up. A pusher has its answer before them. */
const IN_BACKGROUND = /set_config\('synchronous_commit', 'off'|lockstep\.settle_write/;

/** Runs every statement on a pool's connections through the current script. */
export function intercept(pool: pg.Pool, script: () => StatementScript): void {
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
  const intercepted = async () => {
    const client = await connect();
    const run = (text: string, ...rest: [unknown[], FramingOptions]) =>
      script()(text, async () => {
        if (LATE_MS > 0 && IN_BACKGROUND.test(text)) await sleep(Math.random() * LATE_MS);
        return await (client as unknown as StatementClient).run(text, ...rest);
      });
    return new Proxy(client, {
      get(target, key) {
        if (key === "run") return run;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  pool.connect = intercepted as typeof pool.connect;
}
