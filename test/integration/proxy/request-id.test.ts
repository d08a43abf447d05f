/**
 * The id of a request: the same in the log, at the backend and at the client.
 */
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { H2Client } from '../../support/h2-client.js';
import { startFront } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a.test', 'Connection: close', ...fields, '', ''].join('\r\n');

const idIn = (received: string): string | undefined => /\r\nX-Request-Id: (\S+)\r\n/.exec(received)?.[1];

describe('The id of a request', () => {
  let backend: Backend;
  before(async () => {
    // Its own id would be another one.
    backend = await startBackend((_, response) => response.writeHead(200, { 'X-Request-Id': 'own' }).end());
  });
  after(() => backend[Symbol.asyncDispose]());
  beforeEach(() => (backend.requests.length = 0));

  it('goes to the backend and to the client, whatever they have said, and is new for each', async () => {
    await using front = await startFront({ backends: [backend.url] });
    const ids: (string | undefined)[] = [];
    for (const path of ['/1', '/2']) {
      using client = await RawClient.connect(front.port, 'a.test');
      const received = await client.send(get(path, 'X-Request-Id: mine', `traceparent: ${TRACE}`)).closed();
      expect(received.match(/x-request-id/gi)).to.have.length(1);
      ids.push(idIn(received));
    }
    expect(ids[0]).to.match(/^[0-9a-f]{16}$/);
    expect(ids[1]).not.to.equal(ids[0]);
    expect(backend.requests.map(({ headers }) => headers['x-request-id'])).to.deep.equal(ids);
    expect(backend.requests[0]?.headers['traceparent']).to.equal(TRACE);
  });

  it('does so on HTTP/2', async () => {
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const { headers } = await client.request({ ':path': '/', 'x-request-id': 'mine' });
    expect(headers['x-request-id']).to.match(/^[0-9a-f]{16}$/);
    expect(backend.requests[0]?.headers['x-request-id']).to.equal(headers['x-request-id']);
  });

  it('stands on an error page, in its head and in the log', async () => {
    await using front = await startFront({ backends: ['http://127.0.0.1:1'] });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send(get('/')).closed();
    const id = idIn(received);
    expect(received).to.match(/^HTTP\/1\.1 502 /);
    expect(received).to.include(`request ${id}\n`);
    expect(
      front.log.filter(({ msg }) => msg === 'backend failed').map(({ fields }) => fields['id']),
    ).to.deep.equal([id]);
  });

  it('stands on a page in answer to what is no request', async () => {
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    const received = await client.send('NONSENSE\r\n\r\n').closed();
    expect(received).to.include(`request ${idIn(received)}\n`);
  });

  it('is taken over from a trusted proxy, if it can stand in a line', async () => {
    await using front = await startFront({
      backends: [backend.url],
      settings: { headers: { trustedProxies: ['127.0.0.1'], via: false, forwardTlsInfo: false } },
    });
    const sent = ['f-4711/9', 'with blank', 'x'.repeat(129)];
    const ids: (string | undefined)[] = [];
    for (const id of sent) {
      using client = await RawClient.connect(front.port, 'a.test');
      ids.push(idIn(await client.send(get('/', `X-Request-Id: ${id}`)).closed()));
    }
    expect(ids[0]).to.equal('f-4711/9');
    for (const id of ids.slice(1)) expect(id).to.match(/^[0-9a-f]{16}$/);
    expect(backend.requests.map(({ headers }) => headers['x-request-id'])).to.deep.equal(ids);
  });
});
