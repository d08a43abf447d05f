/**
 * The client's clock: it runs while the proxy waits for the client, and at no other time.
 */
import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';
import { connectTls, handshake } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { certificateJson } from '../../support/manager-generations.js';
import { startProgram, type Program } from '../../support/program.js';
import { clientHello12, RawClient, readFlight } from '../../support/raw-tls.js';

const TIMEOUT_S = 0.4;

describe('--handshake-timeout', () => {
  let ca: TestCa;
  let manager: FakeManager;
  let program: Program;

  before(async () => {
    [ca, manager] = await Promise.all([makeTestCa(), startFakeManager()]);
    program = await startProgram([
      ...['--handshake-timeout', String(TIMEOUT_S), '--lookup-timeout', '20'],
      ...['--fallback-server', manager.root],
    ]);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await manager.close();
  });

  const hello = clientHello12({});
  const STOPS: readonly { where: string; sends: readonly Buffer[]; answered?: true }[] = [
    { where: 'sends nothing', sends: [] },
    { where: 'sends one byte', sends: [hello.subarray(0, 1)] },
    { where: 'sends half a ClientHello', sends: [hello.subarray(0, 40)] },
    { where: 'sends all of the ClientHello but its last byte', sends: [hello.subarray(0, -1)] },
    { where: 'sends a ClientHello and nothing after it', sends: [hello], answered: true },
    {
      where: 'sends half of a message after the ClientHello',
      sends: [hello, Buffer.from([0x16, 3, 3, 0, 70, 16])],
      answered: true,
    },
  ];
  for (const { where, sends, answered } of STOPS) {
    it(`closes the connection of a client that ${where}`, async () => {
      const count = timeouts();
      const startedMs = performance.now();
      using client = await RawClient.connect(program.port);
      await client.send(...sends);
      await client.closed;
      expect(performance.now() - startedMs).to.be.greaterThan(TIMEOUT_S * 1000 - 50);
      expect(readFlight(client.received).certificate === undefined).to.equal(answered !== true);
      await program.logged('handshake failed', { reason: 'timeout' }, count + 1);
    });
  }

  it('is for the whole ClientHello: a drip of bytes does not put it off', async () => {
    const count = timeouts();
    using client = await RawClient.connect(program.port);
    const drip = clientHello12({ padding: 10_000 })[Symbol.iterator]();
    const pace = setInterval(() => client.socket.write(Buffer.from([drip.next().value ?? 0])), 5);
    await client.closed;
    clearInterval(pace);
    await program.logged('handshake failed', { reason: 'timeout' }, count + 1);
    expect(client.received.length).to.equal(0);
  });

  it('does not count the time that finding the certificate takes', async () => {
    const name = 'slow.example.org';
    const pair = await ca.issue([name]);
    const answer = defer<void>();
    manager.answer('GET', name, {
      until: answer.promise,
      body: {
        Domain: { id: '1', domain_name: name },
        x509_certificate__latest_single: certificateJson(pair),
      },
    });
    const waiting = handshake({ port: program.port, servername: name });
    await manager.received(1, ({ url }) => url.includes(name));
    // Two silent clients, one after the other: when both have been closed, twice the time has passed.
    for (let i = 0; i < 2; i++) {
      using silent = await RawClient.connect(program.port);
      await silent.closed;
    }
    answer.resolve();
    expect((await waiting).names).to.equal(name);
  });

  it('lets a connection be idle after its handshake', async () => {
    const socket = await connectTls({ port: program.port });
    using silent = await RawClient.connect(program.port);
    await silent.closed;
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    let page = '';
    for await (const chunk of socket) page += String(chunk);
    expect(page).to.match(/^HTTP\/1\.1 200/);
  });

  function timeouts(): number {
    return program.log.filter(({ reason }) => reason === 'timeout').length;
  }
});
