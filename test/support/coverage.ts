/**
 * Coverage of what the tests' own processes run: mocha ends those that run test files in parallel without letting Node write
 * theirs, which it does at a process's own end only.
 *
 * A root hook of mocha (`.mocharc.json` requires this file); it does something under `npm run coverage` alone.
 */
import { takeCoverage } from 'node:v8';

export const mochaHooks = {
  afterAll(): void {
    if (process.env['NODE_V8_COVERAGE'] !== undefined) takeCoverage();
  },
};
