/**
 * A client that is slow to take a response, by a connection that takes as much as the test says.
 */
import { expect } from 'chai';
import { Balancer } from '../../../lib/proxy/upstream/balancer.js';
import type { Upstream, UpstreamEvents } from '../../../lib/proxy/upstream/upstream.js';
import type { RequestContext } from '../../../lib/proxy/downstream/request-context.js';
import { Exchange } from '../../../lib/proxy/exchange.js';
import { silentLogger } from '../../../lib/log/logger.js';
import { Splices } from '../../../lib/proxy/tunnel/splice.js';
import { eventually } from '../../support/eventually.js';
import { HeldSocket } from '../../support/held-socket.js';

describe('A response on HTTP/1.1', () => {
  it('is cut when its client has taken nothing for the time-out, however little it took before', async () => {
    const socket = new HeldSocket();
    const told: string[] = [];
    socket.write(Buffer.alloc(1_000_000));
    // Each time that one looks, the client has taken something.
    let looks = 0;
    const handle = socket._handle;
    const bytesWritten = handle.bytesWritten;
    Object.defineProperty(handle, 'bytesWritten', {
      get: () => bytesWritten + Math.min((looks += 1), 20),
    });
    const client = {
      ...{ id: '7', headersSent: true, waitingBytes: 0, timeout: undefined },
      head: () => undefined,
      write: () => false,
      onDrain: () => undefined,
      onClose: () => undefined,
      fail: () => told.push('cut'),
    };
    let backend: UpstreamEvents | undefined;
    const upstream: Upstream = {
      name: 'backend',
      dispatch: (_, events) => (backend = events),
      close: () => Promise.resolve(),
    };
    const exchange = new Exchange(
      { client, connection: { socket }, host: 'a.test', url: '/', body: null } as unknown as RequestContext,
      {
        balancer: new Balancer({ targets: [upstream], now: () => 0 }),
        log: silentLogger,
        head: { method: 'GET', path: '/', host: 'a.test', headers: [] },
        bodyTimeoutMs: 40,
        restartWaitMs: 0,
        splices: new Splices(),
        tunnelIdleTimeoutMs: 1_000,
        onOver: () => told.push('over'),
        responseHeaders: (fields) => fields,
      },
    );
    exchange.send();
    backend?.onHead(200, undefined, []);
    backend?.onData(Buffer.from('x'), false);
    await eventually('it is cut', () => told.length > 0);
    expect(told).to.deep.equal(['over', 'cut']);
    // 20 with something new, then a time-out's.
    expect(looks).to.equal(20 + 4);
  });
});
