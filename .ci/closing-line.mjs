// Prints what failed and why, from the reports of vitest's JSON reporter, and "N passed, N failed" as the last line of .ci/run: of a long log often only
// the end is kept.
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

const LONGEST = 600;

/** Each failed test with the beginning of its message. */
function failures({ testResults }) {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const told = failed.map(
      ({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join('\n')}`,
    );
    return (told.length === 0 && message ? [message] : told).map(
      (text) => `FAILED ${name}: ${text.slice(0, LONGEST)}`,
    );
  });
}

for (const file of process.argv.slice(2)) {
  for (const failure of failures(report(file))) console.log(`${failure}\n`);
}
const counts = process.argv.slice(2).map((file) => count(report(file)));
const sum = (key) => counts.reduce((total, one) => total + one[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
if (counts.some(({ passed, failed }) => passed === 0 || failed > 0)) process.exitCode = 1;
