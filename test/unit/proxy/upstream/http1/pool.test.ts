/**
 * Who waits for a connection to a backend, with connections that stand when the test says so.
 */
import { once } from 'node:events';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { Http1Pool, type Http1PoolOptions } from '../../../../../lib/proxy/upstream/http1/pool.js';
import { Http1Request } from '../../../../../lib/proxy/upstream/http1/request.js';
import { eventually } from '../../../../support/eventually.js';
import { Recorder } from '../../../../support/raw-upstream.js';

const LONG_MS = 60_000;

describe('The connections to a backend on HTTP/1.1', () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const poolOf = (maxConnections: number, follow: Http1PoolOptions['follow'] = () => undefined): Http1Pool =>
    new Http1Pool({
      connect: () => {
        const socket = new Socket();
        sockets.push(socket);
        return socket;
      },
      follow,
      readyEvent: 'connect',
      maxConnections,
      connectTimeoutMs: LONG_MS,
      headersTimeoutMs: LONG_MS,
      bodyTimeoutMs: LONG_MS,
      idleTimeoutMs: LONG_MS,
    });

  function ask(pool: Http1Pool): Recorder {
    const recorder = new Recorder();
    const message = { method: 'GET', path: '/', host: 'a.test', headers: [], body: null };
    const head = { text: 'GET / HTTP/1.1\r\n\r\n', bodyBytes: 0 };
    const isGivenUp = (): boolean => recorder.isAborted;
    pool.dispatch(new Http1Request({ ...message, isGivenUp }, head, recorder));
    return recorder;
  }

  it('are not made for requests that were given up while they waited: the one behind them has the next', async () => {
    const pool = poolOf(1);
    const first = ask(pool);
    const gone = [ask(pool), ask(pool)];
    const last = ask(pool);
    for (const recorder of gone) recorder.isAborted = true;
    const [socket] = sockets;
    socket?.destroy();
    if (socket !== undefined) await once(socket, 'close');
    expect((await first.over).outcome).to.equal('connect');
    expect(sockets).to.have.length(2);
    for (const recorder of gone) expect((await recorder.over).outcome).to.equal('aborted');
    sockets[1]?.emit('connect');
    expect(last.controller).not.to.equal(undefined);
  });

  it('are not taken by such requests when they become free', async () => {
    const pool = poolOf(1);
    const first = ask(pool);
    const gone = ask(pool);
    const last = ask(pool);
    gone.isAborted = true;
    first.isAborted = true;
    // Given up as it begins: the connection is free again.
    sockets[0]?.emit('connect');
    expect((await first.over).outcome).to.equal('aborted');
    expect((await gone.over).outcome).to.equal('aborted');
    expect(gone.controller).to.equal(undefined);
    expect(last.controller).not.to.equal(undefined);
  });

  it('are not kept where their address went out of use while they were made', async () => {
    const pool = poolOf(1, () => ({ has: (address) => address === '127.0.0.2', stop: () => undefined }));
    const first = ask(pool);
    const second = ask(pool);
    const [socket] = sockets;
    if (socket === undefined) throw new Error('there is no connection');
    Object.defineProperty(socket, 'remoteAddress', { value: '127.0.0.1' });
    // Given up as it begins: the connection would be free again.
    first.isAborted = true;
    socket.emit('connect');
    expect((await first.over).outcome).to.equal('aborted');
    await eventually('there is another connection', () => sockets.length === 2);
    expect(second.controller).to.equal(undefined);
    sockets[1]?.emit('connect');
    expect(second.controller).not.to.equal(undefined);
  });

  it('are told to the follower of their name from the first to the last of them', async () => {
    const told: string[] = [];
    const pool = poolOf(1, () => {
      told.push('begun');
      return { has: () => true, stop: () => told.push('ended') };
    });
    const both = [ask(pool), ask(pool)];
    expect(told).to.deep.equal(['begun']);
    // The second connection is made as the first one closes.
    for (const [i, { over }] of both.entries()) {
      sockets[i]?.destroy();
      await over;
      await eventually('the next one is made', () => sockets.length === 2);
    }
    await eventually('all have closed', () => told.length > 1);
    expect(told).to.deep.equal(['begun', 'ended']);
  });
});
