/**
 * What of the environment of whoever runs the tests, or the benchmark, is kept from the programs that they start. `.mocharc.json` requires
 * this file.
 */

// Trust is part of what is tested. And a process of Node 20 reads and parses such a file at its start: 50 ms for the bundle of a
// distribution, in each of some thousand processes, and in what a start is measured to take.
delete process.env['NODE_EXTRA_CA_CERTS'];
