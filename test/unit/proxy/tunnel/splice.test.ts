import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { onBoth } from '../../net/tls-ends.js';
import { eventually } from '../../../support/eventually.js';
import { HeldSocket } from '../../../support/held-socket.js';
import { defer } from '../../../../lib/base/deferred.js';
import {
  resetSocket,
  Splices,
  type SpliceBytes,
  type SpliceEnd,
} from '../../../../lib/proxy/tunnel/splice.js';

/** One side: what comes from it is pushed, what goes to it is taken when the test says so. */
class Side extends Duplex {
  readonly taken: string[] = [];
  isReset = false;
  isProbed = false;
  #whenTaken: Promise<void> = Promise.resolve();

  /** Takes nothing from now on, until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = defer<void>();
    this.#whenTaken = promise;
    return resolve;
  }

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    void this.#whenTaken.then(() => {
      this.taken.push(chunk.toString());
      done();
    });
  }

  setKeepAlive(isProbed: boolean): void {
    this.isProbed = isProbed;
  }

  resetAndDestroy(): void {
    this.isReset = true;
    this.destroy();
  }
}

interface Ending {
  readonly how: SpliceEnd;
  readonly passed: SpliceBytes;
}

function start(splices: Splices): { client: Side; backend: Side; ended: Promise<Ending> } {
  const [client, backend] = [new Side(), new Side()];
  const { promise, resolve } = defer<Ending>();
  splices.splice({
    client: client,
    backend: backend as unknown as Socket,
    idleTimeoutMs: 60_000,
    resetClient: () => client.resetAndDestroy(),
    onEnd: (how, passed) => resolve({ how, passed: { ...passed } }),
  });
  return { client, backend, ended: promise };
}

describe('A splice', () => {
  let splices: Splices;
  beforeEach(() => {
    splices = new Splices();
  });

  it('counts as under way until the backend has taken everything, also when its client has long gone', async () => {
    const { client, backend, ended } = start(splices);
    const letGo = backend.hold();
    backend.push(null);
    client.push('the last words');
    client.push(null);
    await once(client, 'close');
    expect(splices.size).to.equal(1);
    let told = 0;
    splices.onEnd(() => (told += 1));
    letGo();
    expect(await ended).to.deep.equal({ how: 'ended', passed: { fromClient: 14, fromBackend: 0 } });
    expect(backend.taken).to.deep.equal(['the last words']);
    expect(splices.size).to.equal(0);
    expect(told).to.equal(1);
  });

  it('is reset on both sides when it is cut, whichever is still open', async () => {
    const [open, half] = [start(splices), start(splices)];
    open.client.push('half a message');
    half.backend.hold();
    half.backend.push('an answer');
    half.backend.push(null);
    half.client.push('half a message');
    half.client.push(null);
    half.client.resume();
    await once(half.client, 'close');
    expect(splices.size).to.equal(2);
    splices.cut();
    expect((await open.ended).how).to.equal('stopped');
    expect(await half.ended).to.deep.equal({ how: 'stopped', passed: { fromClient: 14, fromBackend: 9 } });
    expect([open.client, open.backend, half.backend].map(({ isReset }) => isReset)).to.deep.equal([
      ...[true, true, true],
    ]);
  });
});

/** A side that takes what the test says. */
class TakingSide extends HeldSocket {
  setKeepAlive(): void {
    // There is nobody to probe.
  }
}

describe('A splice of which a side takes little at a time', () => {
  const IDLE_MS = 200;
  const TAKEN_BYTES = 10;
  /** Four times what a time-out has. */
  const TAKES = 80;

  for (const who of ['client', 'backend'] as const) {
    it(`goes on while the ${who} takes some, and is closed as idle when it does not any more`, async () => {
      const sides = { client: new TakingSide(), backend: new TakingSide() };
      const ended: SpliceEnd[] = [];
      new Splices().splice({
        ...{ client: sides.client, backend: sides.backend.asSocket, idleTimeoutMs: IDLE_MS },
        resetClient: () => undefined,
        onEnd: (how) => ended.push(how),
      });
      sides[who === 'client' ? 'backend' : 'client'].push(Buffer.alloc(100_000));
      let takes = 0;
      const timer = setInterval(() => {
        takes += 1;
        sides[who].takeOut(TAKEN_BYTES);
      }, IDLE_MS / 20);
      await eventually('it takes no more', () => takes >= TAKES || ended.length > 0).finally(() =>
        clearInterval(timer),
      );
      expect(ended).to.deep.equal([]);
      const startMs = performance.now();
      await eventually('it is closed', () => ended.length > 0);
      expect(ended).to.deep.equal(['idle']);
      expect(performance.now() - startMs).to.be.above(IDLE_MS * 0.7);
    });
  }
});

describe('A connection that is to be reset', () => {
  it('closes also while its end is being said', async () => {
    const server = createServer((other) => other.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end();
    resetSocket(socket);
    await once(socket, 'close');
    server.close();
  });
});

onBoth('A splice whose client resets its connection before it has its tickets', (open) => {
  it('ends, though Node takes the reset for an end', async () => {
    const server = createServer({ allowHalfOpen: true }, (other) => {
      other.on('error', () => undefined);
      other.resume().on('end', () => other.end('an answer'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const backend = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
    await once(backend, 'connect');
    const { socket, raw, wire } = await open();
    socket.allowHalfOpen = true;
    wire.resetAndDestroy();
    const { promise, resolve } = defer<SpliceEnd>();
    new Splices().splice({
      ...{ client: socket, backend, idleTimeoutMs: 60_000 },
      resetClient: () => resetSocket(raw),
      onEnd: resolve,
    });
    expect(await promise).to.equal('client failed');
    server.close();
  });
});
