// Prints "N passed, N failed" from the reports of vitest's JSON reporter, as the last line of .ci/run.
import { readFileSync } from 'node:fs';

/** A file that could not be loaded has no failed test, but has failed. */
function count({ numPassedTests, numFailedTests, testResults }) {
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  return { passed: numPassedTests, failed: numFailedTests + broken.length };
}

function report(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  }
}

const counts = process.argv.slice(2).map((file) => count(report(file)));
const sum = (key) => counts.reduce((total, one) => total + one[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
if (counts.some(({ passed, failed }) => passed === 0 || failed > 0)) process.exitCode = 1;
