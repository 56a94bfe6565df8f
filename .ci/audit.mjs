// Asks the registry of npm for known faults of the runtime dependencies. Fails on a fault of severity high or critical.
// If the registry does not answer the question, prints the reason and passes: a check must not depend on the network.
import { spawnSync } from "node:child_process";

const ARGUMENTS = ["audit", "--omit=dev", "--json", "--fetch-retries=0", "--fetch-timeout=30000"];
const { stdout, stderr, error } = spawnSync("npm", ARGUMENTS, { encoding: "utf8", timeout: 120_000 });

const report = parsed(stdout ?? "");
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const reason = error?.message ?? report?.message ?? stderr.trim().split("\n", 1)[0];
  console.log(`The dependencies are not audited: ${reason || "npm audit said nothing"}`);
} else {
  const grave = Object.values(report.vulnerabilities).filter(({ severity }) => /^(high|critical)$/.test(severity));
  for (const { name, severity, range, via } of grave)
    console.log(`${name} ${range} is ${severity}: ${via.map((each) => each.title ?? each).join("; ")}`);
  console.log(`Known faults of the runtime dependencies: ${counts.total}, of which ${grave.length} high or critical.`);
  if (grave.length > 0) process.exitCode = 1;
}

/** Returns the document in a text, or undefined if the text is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
