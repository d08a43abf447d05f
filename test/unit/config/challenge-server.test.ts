import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { load, problemOf } from './stage.js';
import { serverAt } from '../../support/servers.js';

const CA_PEM = readFileSync(new URL('../../fixtures/manager/ca-root.pem', import.meta.url), 'utf8');

describe('loadSettings: the servers for challenges', () => {
  const HTTP = { 'http-listen': '127.0.0.1:80' };

  it('are origins in their order, each once, with the authorities of --fallback-ca', () => {
    const files = { '/ca.pem': CA_PEM };
    const flags = {
      ...HTTP,
      'challenge-server': ['http://127.0.0.1:7201', 'HTTPS://Manager.test/', 'http://127.0.0.1:7201/'],
      'fallback-ca': '/ca.pem',
    };
    const { settings, warnings } = load({ flags, files });
    expect(settings.challenges.servers).to.deep.equal(
      ['http://127.0.0.1:7201', 'https://manager.test'].map((origin) => serverAt(origin)),
    );
    expect(settings.challenges.caPem).to.include('BEGIN CERTIFICATE');
    expect(warnings).to.deep.equal([]);
  });

  it('have no effect without a listener, and the authorities none without a server', () => {
    const files = { '/ca.pem': CA_PEM };
    const warningsOf = (flags: Record<string, string>) => load({ flags, files }).warnings;
    expect(warningsOf({ 'challenge-server': 'http://h' })).to.deep.equal([
      '--challenge-server has no effect without --http-listen',
    ]);
    expect(warningsOf({ 'fallback-ca': '/ca.pem' })).to.deep.equal([
      '--fallback-ca has no effect without --fallback-server or --challenge-server',
    ]);
  });

  const END = 'must end after the host and port: challenges are asked for at the root';
  const mistakes: [value: string, clause: string][] = [
    ['127.0.0.1:7201', 'must be an http:// or https:// URL'],
    ['unix:/socket', 'must be an http:// or https:// URL'],
    ['http://h/.well-known', END],
    ['http://h/?x', END],
    ['http://h#x', END],
    ['http://u:secret@h', 'must hold no user name and password'],
  ];
  for (const [value, clause] of mistakes) {
    it(`are not ${value}: the sentence names the flag`, () => {
      const flags = { ...HTTP, 'challenge-server': ['http://good', value] };
      expect(problemOf({ flags })).to.equal(`--challenge-server ${clause}`);
    });
  }
});
