/**
 * Who waits for a connection to a backend, with connections that stand when the test says so.
 */
import { once } from 'node:events';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { Http1Pool } from '../../../../../lib/proxy/upstream/http1/pool.js';
import { Http1Request } from '../../../../../lib/proxy/upstream/http1/request.js';
import { Recorder } from '../../../../support/raw-upstream.js';

const LONG_MS = 60_000;

describe('The connections to a backend on HTTP/1.1', () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const poolOf = (maxConnections: number): Http1Pool =>
    new Http1Pool({
      connect: () => {
        const socket = new Socket();
        sockets.push(socket);
        return socket;
      },
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
});
