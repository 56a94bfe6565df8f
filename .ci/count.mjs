// Reads a JSON report of vitest. Prints how many tests passed and failed, then one line for each failure.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const [, , report, suite] = process.argv;
let passed = 0;
const failures = [];
try {
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  passed = numPassedTests;
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed");
    const file = `${suite}: ${relative("", name)}`;
    for (const { fullName, failureMessages } of failed)
      failures.push(`${file} > ${fullName}: ${firstLine(failureMessages[0])}`);
    if (status === "failed" && failed.length === 0) failures.push(`${file}: ${firstLine(message)}`);
  }
} catch (error) {
  failures.push(`${suite}: no report: ${error.message}`);
}
console.log([`${passed} ${failures.length}`, ...failures].join("\n"));

function firstLine(message = "") {
  return message.split("\n", 1)[0].slice(0, 500);
}
