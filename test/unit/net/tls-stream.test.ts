import { once } from 'node:events';
import { expect } from 'chai';
import { TlsStream } from '../../../lib/net/tls-stream.js';
import { isEncrypting, isIdle } from '../../../lib/net/writes-at-once.js';
import { eventually } from '../../support/eventually.js';
import { closed, onBoth, opensslOf, received, told } from './tls-ends.js';

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const until = async (holds: () => boolean): Promise<void> => eventually(String(holds), holds);

onBoth('A connection on TLS', (open, isOfNode) => {
  it('tells what was negotiated', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { socket, client, alpn } = await open({ client: { maxVersion, ALPNProtocols: ['http/1.1'] } });
      expect(socket.getProtocol()).to.equal(client.getProtocol());
      expect(socket.getCipher()).to.deep.equal(client.getCipher());
      expect(socket.isSessionReused()).to.equal(false);
      expect(socket.getX509Certificate()?.fingerprint256).to.equal(
        client.getPeerX509Certificate()?.fingerprint256,
      );
      expect([alpn, isEncrypting(socket)]).to.deep.equal(['http/1.1', true]);
      expect(socket instanceof TlsStream).to.equal(!isOfNode);
    }
  });

  it('knows a session that was resumed, and no ALPN where there was none', async () => {
    const first = await open({ client: { maxVersion: 'TLSv1.2' } });
    const session = first.client.getSession();
    first[Symbol.dispose]();
    const { socket, alpn } = await open({ client: { maxVersion: 'TLSv1.2', session } });
    expect([socket.isSessionReused(), alpn]).to.deep.equal([true, undefined]);
  });

  it('passes what is written within the handshake', async () => {
    const { client } = await open({ onSecured: (socket) => void socket.write('early', 'latin1') });
    expect(String(await once(client, 'data'))).to.equal('early');
  });

  it('writes text as latin1, other text as it is said, and bytes', async () => {
    const { socket, client } = await open();
    socket.write('\xfc', 'latin1');
    socket.write('ü', 'utf8');
    socket.write(Buffer.from([0xff]));
    socket.end();
    expect(await received(client)).to.equal('\xfc\xc3\xbc\xff');
    expect(socket.bytesWritten).to.equal(4);
  });

  it('calls back once for each write, in order, when it has gone out, and never at once', async () => {
    const { socket, client } = await open();
    const done: (number | string)[] = [];
    for (let i = 0; i < 5; i += 1)
      socket.write(String(i), 'latin1', (error) => done.push(error?.message ?? i));
    expect(done).to.deep.equal([]);
    socket.write(Buffer.alloc(0), (error) => done.push(error?.message ?? 'nothing'));
    socket.end();
    expect(await received(client)).to.equal('01234');
    expect(done).to.deep.equal([0, 1, 2, 3, 4, 'nothing']);
    expect(socket.writableLength).to.equal(0);
  });

  it('calls back for a write of nothing, and sends nothing', async () => {
    const { socket, client } = await open();
    for (const corked of [false, true]) {
      if (corked) socket.cork();
      const done = new Promise<unknown>((resolve) => socket.write(Buffer.alloc(0), resolve));
      socket.write('', 'latin1');
      if (corked) socket.uncork();
      expect(await done).to.be.oneOf([null, undefined]);
    }
    socket.end();
    expect(await received(client)).to.equal('');
  });

  it('keeps what is corked, also in several layers', async () => {
    const { socket, client } = await open();
    socket.cork();
    socket.cork();
    socket.write('a', 'latin1');
    socket.write(Buffer.from('b'));
    socket.uncork();
    await turn();
    expect([socket.writableLength, isIdle(socket)]).to.deep.equal([2, false]);
    socket.uncork();
    socket.uncork();
    expect(String(await once(client, 'data'))).to.equal('ab');
    await until(() => isIdle(socket));
    socket.cork();
    socket.write('c', 'latin1');
    socket.end();
    expect(await received(client)).to.equal('c');
  });

  it('is idle until it is written to, and when that has gone out', async () => {
    const { socket } = await open();
    expect(isIdle(socket)).to.equal(true);
    const done = new Promise((resolve) => socket.write('a', 'latin1', resolve));
    expect(isIdle(socket)).to.equal(false);
    await done;
    expect(isIdle(socket)).to.equal(true);
  });

  it('asks for a pause while much waits, and drains when all is out', async () => {
    const { socket, client, events } = await open();
    client.pause();
    const piece = Buffer.alloc(1024 ** 2, 'x');
    let count = 0;
    while (socket.write(piece) || count < 16) count += 1;
    expect(socket.writableNeedDrain).to.equal(true);
    await turn();
    expect(socket.writableLength).to.be.above(0);
    expect(events).to.deep.equal([]);
    client.resume();
    await told(socket, 'drain');
    expect([socket.writableLength, socket.writableNeedDrain]).to.deep.equal([0, false]);
  });

  it('ends when all is out, and closes when the client has ended, too', async () => {
    const { socket, client, events } = await open();
    socket.write(Buffer.alloc(300_000, 'x'));
    socket.write('end', 'latin1');
    socket.end();
    expect(socket.writable).to.equal(false);
    expect((await received(client)).length).to.equal(300_003);
    await closed(socket);
    expect(events).to.deep.equal(['finish', 'end', 'close']);
    expect([socket.readableEnded, socket.writableFinished, socket.errored]).to.deep.equal([true, true, null]);
  });

  it('ends when the client has ended, unless it may be half open', async () => {
    const { socket, client, events } = await open();
    socket.resume();
    client.end();
    await closed(socket);
    expect(events).to.deep.equal(['end', 'finish', 'close']);
  });

  it('stays half open where it may', async () => {
    const { socket, client, events } = await open({ client: { allowHalfOpen: true } as object });
    socket.allowHalfOpen = true;
    socket.resume();
    client.end('bye');
    await told(socket, 'end');
    socket.write('still here', 'latin1');
    expect(String(await once(client, 'data'))).to.equal('still here');
    socket.end();
    await closed(socket);
    expect(events).to.deep.equal(['end', 'finish', 'close']);
  });

  it('fails what waits when it is destroyed, and closes once', async () => {
    const { socket, client, events } = await open();
    client.pause();
    const errors: boolean[] = [];
    for (let i = 0; i < 20; i += 1)
      socket.write(Buffer.alloc(1024 ** 2), (error) => errors.push(error instanceof Error));
    await turn();
    const sentCount = errors.length;
    expect(sentCount).to.be.below(20);
    const openssl = opensslOf(socket);
    expect(openssl?.writeQueueSize).to.be.above(0);
    socket.destroy();
    socket.destroy();
    expect([socket.destroyed, socket.writable]).to.deep.equal([true, false]);
    await told(socket, 'close');
    await turn();
    expect(errors).to.have.length(20);
    // It was let go, with all that it had.
    expect(openssl?.writeQueueSize).to.equal(0);
    // Node 20 tells no error of what it leaves.
    if (!isOfNode) expect(errors.slice(sentCount)).to.not.include(false);
    expect(events).to.deep.equal(['close']);
  });

  it('tells why it was destroyed', async () => {
    const { socket, events } = await open();
    const error = new Error('because');
    socket.destroy(error);
    await told(socket, 'close');
    expect(socket.errored).to.equal(error);
    expect(events).to.deep.equal(['error', 'close']);
  });

  it('fails what is written when it has ended', async () => {
    const { socket } = await open();
    socket.end();
    const error = await new Promise<unknown>((resolve) => socket.write('late', 'latin1', resolve));
    expect(error).to.be.an('error');
  });

  it('closes with an error when the client resets it', async () => {
    const { socket, wire, events } = await open();
    socket.resume();
    // The tickets go out: a write would meet the reset before a read does.
    await turn();
    wire.resetAndDestroy();
    await told(socket, 'close');
    expect((socket.errored as NodeJS.ErrnoException).code).to.equal('ECONNRESET');
    expect(events).to.deep.equal(['error', 'close']);
  });

  it('closes when what carries it is closed, with a reset or without', async () => {
    for (const how of ['destroy', 'resetAndDestroy'] as const) {
      const { socket, raw, client, events } = await open();
      const gone = new Promise((resolve) => client.once('close', resolve));
      raw[how]();
      await told(socket, 'close');
      await gone;
      expect(events).to.deep.equal(['close']);
      expect([socket.destroyed, socket.errored]).to.deep.equal([true, null]);
    }
  });

  it('closes when it is reset while its end is being said', async () => {
    const { socket, raw } = await open();
    await turn();
    socket.end();
    raw.resetAndDestroy();
    await told(socket, 'close');
  });

  it('may be destroyed within its handshake', async () => {
    const { socket } = await open({ onSecured: (secured) => void secured.destroy() }).catch(() => ({
      socket: undefined,
    }));
    expect(socket?.destroyed ?? true).to.equal(true);
  });

  it('passes any sequence of writes as it was written', async () => {
    const { socket, client } = await open();
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const expected: Buffer[] = [];
    const done: number[] = [];
    const all = received(client);
    for (let i = 0; i < 400; i += 1) {
      const bytes = Buffer.alloc(random(4) === 0 ? random(40_000) : random(300), i);
      if (random(5) === 0) socket.cork();
      if (random(2) === 0) socket.write(bytes, () => done.push(i));
      else socket.write(bytes.toString('latin1'), 'latin1', () => done.push(i));
      expected.push(bytes);
      if (random(4) === 0) socket.uncork();
      if (random(9) === 0) await turn();
    }
    socket.end();
    expect((await all) === Buffer.concat(expected).toString('latin1')).to.equal(true);
    await closed(socket);
    expect(done).to.deep.equal(Array.from({ length: 400 }, (_, i) => i));
  });

  it('is closed by an error that nobody listens for', async () => {
    const { socket, wire } = await open({ isFollowed: false });
    socket.resume();
    await turn();
    wire.resetAndDestroy();
    await told(socket, 'close');
    expect(socket.errored).to.be.an('error');
  });
});
