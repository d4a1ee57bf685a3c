import { appendFileSync } from 'node:fs';

/**
 * A reporter of Vitest's that writes the name of each test that fails, a line each, into the file that FAILED_TESTS
 * names. It writes at once and waits until it is written: a run that is broken off after its first failure may end
 * before a report of the whole is on disk.
 */
export default class FailedTestsReporter {
  onTestCaseResult(test) {
    if (test.result().state !== 'failed') return;
    appendFileSync(process.env.FAILED_TESTS, `${test.fullName.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  }
}
