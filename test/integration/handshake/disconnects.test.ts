/**
 * Clients that go away, or go mad: nothing of them stays open in the worker.
 */
import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { handshake } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { sClientRenegotiation } from '../../support/openssl.js';
import { startProgram, type Program } from '../../support/program.js';
import { clientHello12, connectReshaped, RawClient } from '../../support/raw-tls.js';
import { countSockets, untilSockets } from '../../support/worker-sockets.js';

const CLIENTS = 25;

describe('A client that goes away, or astray,', () => {
  let manager: FakeManager;
  let program: Program;
  let worker: number;
  let baseline: number;

  before(async () => {
    manager = await startFakeManager();
    // The client's clock is not what closes the connections here.
    program = await startProgram([
      ...['--handshake-timeout', '600', '--lookup-timeout', '600', '--fallback-server', manager.root],
    ]);
    [worker = 0] = await program.workerPids();
    baseline = await countSockets(worker);
    await handshake({ port: program.port });
    await untilSockets(worker, baseline);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await manager.close();
  });

  const hello = clientHello12({});
  const STAGES: Readonly<Record<string, { sends: Buffer; answered?: true }>> = {
    'before its first byte': { sends: Buffer.alloc(0) },
    'in the middle of its ClientHello': { sends: hello.subarray(0, 60) },
    'after its ClientHello': { sends: hello, answered: true },
    'in the middle of a later message': {
      sends: Buffer.concat([hello, Buffer.from([0x16, 3, 3, 0, 70, 16])]),
      answered: true,
    },
  };
  const WAYS: Readonly<Record<string, (client: RawClient) => void>> = {
    'with a FIN': (client) => client.socket.end(),
    'with a reset': (client) => client.socket.resetAndDestroy(),
  };
  it('by asking for another handshake on its connection, is refused, and leaves no open socket behind', async () => {
    const { output, exitCode } = await sClientRenegotiation(program.port, '-tls1_2');
    expect(output).to.match(/^RENEGOTIATING$[^]*no renegotiation/m);
    expect(exitCode).to.equal(1);
    await untilSockets(worker, baseline);
  });

  for (const [stage, { sends, answered }] of Object.entries(STAGES)) {
    for (const [way, leave] of Object.entries(WAYS)) {
      it(`${stage}, ${way}, leaves no open socket behind`, async () => {
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, async () => {
            const client = await RawClient.connect(program.port);
            if (sends.length > 0) await client.send(sends);
            if (answered === true) await client.until((received) => received.length > 0);
            return client;
          }),
        );
        await untilSockets(worker, baseline + CLIENTS);
        clients.forEach(leave);
        await untilSockets(worker, baseline);
        for (const client of clients) client[Symbol.dispose]();
      });
    }
  }

  for (const [way, leave] of Object.entries(WAYS)) {
    it(`while its certificate is looked up, ${way}, leaves no open socket behind`, async () => {
      const serverName = `gone-${way.replaceAll(' ', '-').toLowerCase()}.example.org`;
      const answer = defer<void>();
      manager.answer('GET', serverName, { until: answer.promise, status: 404, body: {} });
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          const client = await RawClient.connect(program.port);
          await client.send(clientHello12({ serverName }));
          return client;
        }),
      );
      await manager.received(1, ({ url }) => url.includes(serverName));
      await untilSockets(worker, baseline + CLIENTS);
      clients.forEach(leave);
      answer.resolve();
      await untilSockets(worker, baseline);
      expect(manager.requestsFor('GET', serverName)).to.have.length(1);
      for (const client of clients) client[Symbol.dispose]();
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`of ${version} after its handshake, without a word, leaves no open socket behind`, async () => {
      const { raw } = await connectReshaped({ port: program.port, minVersion: version, maxVersion: version });
      await untilSockets(worker, baseline + 1);
      raw.destroy();
      await untilSockets(worker, baseline);
    });

    for (const [what, record] of Object.entries({
      'a record that does not decrypt': Buffer.concat([
        Buffer.from([0x17, 3, 3, 0, 40]),
        Buffer.alloc(40, 0x5a),
      ]),
      'a record of an unknown type': Buffer.from([0x63, 3, 3, 0, 1, 0]),
      'a record that is too long': Buffer.concat([
        Buffer.from([0x17, 3, 3, 0xff, 0xff]),
        Buffer.alloc(65_535),
      ]),
      'plain text': Buffer.from('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'),
    })) {
      it(`of ${version} that sends ${what} after the handshake is closed`, async () => {
        const { tls, raw } = await connectReshaped({
          port: program.port,
          ...{ minVersion: version, maxVersion: version },
        });
        tls.on('error', () => undefined); // the alert, or a reset
        await untilSockets(worker, baseline + 1);
        raw.write(record);
        await new Promise((resolve) => raw.once('close', resolve));
        await untilSockets(worker, baseline);
      });
    }
  }

  it('in the middle of a request head leaves no open socket behind', async () => {
    const { tls, raw } = await connectReshaped({ port: program.port });
    tls.write('GET / HTTP/1.1\r\nHost: a.te');
    await untilSockets(worker, baseline + 1);
    raw.resetAndDestroy();
    await untilSockets(worker, baseline);
  });

  it('costs nobody else anything: the same worker goes on', async () => {
    await handshake({ port: program.port });
    expect(await program.workerPids()).to.deep.equal([worker]);
    // The manager's answers above are none of a manager's, and that is said.
    const errors = program.log.filter(({ level }) => level === 'err').map(({ msg }) => msg);
    expect(errors.filter((msg) => !msg.startsWith('source manager fails'))).to.deep.equal([]);
  });
});
