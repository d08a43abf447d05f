import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../../lib/log.js';
import { destinationOf } from '../../../lib/proxy/destination.js';
import { HttpProxy, type BackendTimeouts } from '../../../lib/proxy/http.js';
import { startBackend } from '../../support/backend.js';

/** The proxy before a backend, without TLS and processes, and one GET through it. */
async function getThrough(
  listener: RequestListener,
  timeouts: BackendTimeouts,
): Promise<{ status: number; body: string; error: unknown; logged: string[] }> {
  await using backend = await startBackend(listener);
  const logged: string[] = [];
  const note = (message: string, fields?: object): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Logger = {
    ...{ err: note, notice: note, info: note, debug: note },
    enabled: () => true,
  };
  const proxy = new HttpProxy({ origin: backend.url }, log, timeouts);
  const server = createServer((request, response) => {
    const { url = '', httpVersion, rawHeaders } = request;
    const destination = destinationOf({ url, httpVersion, rawHeaders });
    if (destination !== undefined) proxy.forward(request, response, destination);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const outgoing = httpRequest({ port: (server.address() as AddressInfo).port, agent: false });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let body = '';
    let error: unknown;
    try {
      for await (const chunk of response) body += String(chunk);
    } catch (thrown) {
      error = thrown;
    }
    return { status: response.statusCode ?? 0, body, error, logged };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const LONG: BackendTimeouts = { connectMs: 60_000, headersMs: 60_000, bodyMs: 60_000 };

describe('The proxy, when a backend', function () {
  // undici looks at its clock once a second only.
  this.timeout(20_000);

  it('is mute, answers 504', async () => {
    const { status, body, logged } = await getThrough(() => undefined, { ...LONG, headersMs: 50 });
    expect({ status, body }).to.deep.equal({ status: 504, body: '504 Gateway Timeout\n' });
    expect(logged).to.have.length(1);
    expect(logged[0]).to.match(/^backend failed .*Headers Timeout/);
  });

  it('stops in the middle of a body, cuts the client off', async () => {
    const half: RequestListener = (_, response) => void response.write('half');
    const { status, body, error } = await getThrough(half, { ...LONG, bodyMs: 50 });
    expect({ status, body }).to.deep.equal({ status: 200, body: 'half' });
    expect(error).to.be.instanceOf(Error);
  });

  it('is only slow, waits for it', async () => {
    const slow: RequestListener = (_, response) => void setTimeout(() => response.end('late'), 100);
    const { status, body } = await getThrough(slow, LONG);
    expect({ status, body }).to.deep.equal({ status: 200, body: 'late' });
  });
});
