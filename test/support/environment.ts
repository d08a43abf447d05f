/**
 * What of the environment of whoever runs the tests is kept from the programs that they start. `.mocharc.json` requires this file.
 */

// Trust is part of what is tested. And a process of Node 20 reads and parses such a file at its start: 50 ms for the bundle of a
// distribution, in each of some thousand processes.
delete process.env['NODE_EXTRA_CA_CERTS'];
