/**
 * Mocha's spec reporter, with one closing line that a script can read: `N passed, N failed`.
 */
const { reporters } = require('mocha');

module.exports = class ClosingLineReporter extends reporters.Spec {
  epilogue() {
    super.epilogue();
    process.stdout.write(`${this.stats.passes} passed, ${this.stats.failures} failed\n`);
  }
};
