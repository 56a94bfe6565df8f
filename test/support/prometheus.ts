// Starts a real Prometheus that scrapes devices and evaluates the rules for alerts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, untilListening } from "./ports.ts";

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

export interface Prometheus extends AsyncDisposable {
  /** Returns the result of an instant query. Rejects with the sentence of Prometheus. */
  query(expr: string): Promise<readonly Sample[]>;
  rules(): Promise<readonly RuleState[]>;
}

/** Starts the program `path`. It scrapes these addresses (`host:port`) each second. */
export async function startPrometheus(path: string, targets: readonly string[]): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), "ls-prometheus-"));
  const rules = fileURLToPath(new URL("../../deploy/prometheus/lockstep.rules.yaml", import.meta.url));
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: [rules],
    scrape_configs: [{ job_name: "lockstep", static_configs: [{ targets }] }],
  };
  // JSON is YAML.
  await writeFile(join(dir, "prometheus.yaml"), JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    path,
    [
      `--config.file=${join(dir, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: {} },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await once(child, "exit");
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await untilListening({ host: "127.0.0.1", port });
  } catch (cause) {
    await stop();
    throw new Error(`Prometheus did not start: ${said}`, { cause });
  }
  const ask = async (path: string): Promise<Record<string, never>> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: Record<string, never> };
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    async query(expr) {
      const { result } = await ask(`query?query=${encodeURIComponent(expr)}`);
      return result as unknown as readonly Sample[];
    },
    async rules() {
      const { groups } = (await ask("rules")) as unknown as { groups: readonly { rules: readonly RuleState[] }[] };
      return groups.flatMap((group) => group.rules);
    },
    [Symbol.asyncDispose]: stop,
  };
}
