// Runs the statements of a device through a function of its test.
import type pg from "pg";
import type { FramingOptions, StatementClient } from "../../src/store/database/statement.ts";

/** Intercepts a statement of a device: gets its text and the function that runs it. */
export type StatementScript = (text: string, run: () => Promise<unknown>) => Promise<unknown>;

/** Runs every statement on a pool's connections through the current script. */
export function intercept(pool: pg.Pool, script: () => StatementScript): void {
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
  const intercepted = async () => {
    const client = await connect();
    const run = (text: string, ...rest: [unknown[], FramingOptions]) =>
      script()(text, () => (client as unknown as StatementClient).run(text, ...rest));
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
