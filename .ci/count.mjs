// Prints how many tests of a vitest JSON report passed and failed.
import { readFileSync } from "node:fs";

try {
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(process.argv[2], "utf8"));
  console.log(numPassedTests, numFailedTests);
} catch {
  console.log(0, 1);
}
