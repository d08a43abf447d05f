/**
 * HTTP/2 requests that would be others in HTTP/1.1, or for somebody else: refused, or without what is wrong with them.
 */
import { expect } from 'chai';
import { startFront, type Front } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { requestByFrames, type Field } from '../../support/raw-h2.js';
import { startRecordingBackend, type RecordingBackend } from '../../support/recording-backend.js';

describe('An HTTP/2 request that can be read in two ways', () => {
  let backend: RecordingBackend;
  let front: Front;
  before(async () => {
    backend = await startRecordingBackend();
    front = await startFront({ backends: [backend.url] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });
  beforeEach(() => backend.clear());

  const [method, path, scheme, authority]: [Field, Field, Field, Field] = [
    [':method', 'GET'],
    [':path', '/x'],
    [':scheme', 'https'],
    [':authority', 'a.test'],
  ];
  const whole = [method, path, scheme, authority];
  const refused: [what: string, fields: readonly Field[]][] = [
    ['no method', [path, scheme, authority]],
    ['no path', [method, scheme, authority]],
    ['no scheme', [method, path, authority]],
    ['neither authority nor Host', [method, path, scheme]],
    ['two methods', [method, [':method', 'POST'], path, scheme, authority]],
    ['two paths', [method, path, [':path', '/y'], scheme, authority]],
    ['two authorities', [...whole, [':authority', 'b.test']]],
    ['an authority and another Host', [...whole, ['host', 'b.test']]],
    ['two Hosts', [method, path, scheme, ['host', 'a.test'], ['host', 'b.test']]],
    ['two equal Hosts', [method, path, scheme, ['host', 'a.test'], ['host', 'a.test']]],
    ['two Hosts beside the authority', [...whole, ['host', 'a.test'], ['host', 'a.test']]],
    ['a scheme that is none', [method, path, [':scheme', 'https:'], authority]],
    ['a pseudo field behind the others', [method, path, scheme, ['x-a', '1'], authority]],
    ['an unknown pseudo field', [...whole, [':x', '1']]],
    ['a pseudo field of responses', [...whole, [':status', '200']]],
    ['an empty path', [method, [':path', ''], scheme, authority]],
    ['a path that is none', [method, [':path', 'x'], scheme, authority]],
    ['a path in absolute form', [method, [':path', 'https://b.test/x'], scheme, authority]],
    [
      'a path in absolute form in another scheme',
      [method, [':path', 'https://b.test/x'], [':scheme', 'x'], authority],
    ],
    ['a path with a space', [method, [':path', '/x y'], scheme, authority]],
    ['a path with a line end', [method, [':path', '/x HTTP/1.1\r\nX-A: 1'], scheme, authority]],
    ['a method with a line end', [[':method', 'GET / HTTP/1.1\r\nX-A: 1'], path, scheme, authority]],
    ['an authority with a line end', [method, path, scheme, [':authority', 'a.test\r\nX-A: 1']]],
    ['an authority with a user', [method, path, scheme, [':authority', 'b.test@a.test']]],
    ['an authority with a path', [method, path, scheme, [':authority', 'a.test/x']]],
    ['a name in capitals', [...whole, ['X-A', '1']]],
    ['a coding', [...whole, ['transfer-encoding', 'chunked']]],
    ['Connection', [...whole, ['connection', 'x-a']]],
    ['Keep-Alive', [...whole, ['keep-alive', '1']]],
    ['an upgrade', [...whole, ['upgrade', 'websocket']]],
    ['TE that is not for trailers', [...whole, ['te', 'gzip']]],
    ['a length without a body', [...whole, ['content-length', '5']]],
    ['two lengths', [...whole, ['content-length', '0'], ['content-length', '5']]],
    ['a length that is none', [...whole, ['content-length', '0x0']]],
  ];
  for (const [what, fields] of refused) {
    it(`because of ${what} is refused`, async () => {
      const outcome = await requestByFrames(front.port, 'a.test', fields);
      if (outcome.kind === 'response') expect(outcome.status).to.equal(400);
      expect(backend.errors).to.deep.equal([]);
      expect(backend.requests).to.deep.equal([]);
    });
  }

  // nghttp2 leaves such a field out and goes on.
  const dropped: [what: string, fields: readonly Field[]][] = [
    ['a name with a colon', [...whole, ['x-a:b', '1']]],
    ['a name with a space', [...whole, ['x a', '1']]],
    ['a name with a line end', [...whole, ['x-a\r\nx-b', '1']]],
    ['an empty name', [...whole, ['', '1']]],
    ['a value with a line end', [...whole, ['x-a', '1\r\nX-B: 2']]],
    ['a value with a LF', [...whole, ['x-a', '1\nX-B: 2']]],
    ['a value with a NUL', [...whole, ['x-a', '1\0']]],
  ];
  for (const [what, fields] of dropped) {
    it(`because of ${what} is refused, or goes on without that field`, async () => {
      const outcome = await requestByFrames(front.port, 'a.test', fields);
      if (outcome.kind === 'response') expect(outcome.status).to.be.oneOf([200, 400]);
      expect(backend.errors).to.deep.equal([]);
      expect(backend.requests).to.have.length(outcome.status === 200 ? 1 : 0);
      expect(JSON.stringify(backend.requests)).not.to.match(/x-a|x-b|x a/i);
    });
  }

  it('is no other when it is well-formed', async () => {
    const outcome = await requestByFrames(front.port, 'a.test', [...whole, ['host', 'A.test']]);
    expect(outcome).to.deep.equal({ kind: 'response', status: 200 });
    expect(backend.requests[0]?.fields.filter(([name]) => name === 'host')).to.deep.equal([
      ['host', 'a.test'],
    ]);
  });

  it('because of a body that is longer or shorter than its length never looks whole to the backend', async () => {
    for (const length of ['2', '9']) {
      using client = await H2Client.connect(front.port, 'a.test');
      await client.request({ ':method': 'POST', 'content-length': length }, 'four');
    }
    expect(backend.requests).to.deep.equal([]);
    expect(backend.errors).to.deep.equal([]);
  });

  it('because of too many fields is refused', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const fields = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`x-${i}`, '1']));
    expect((await client.request(fields)).status).not.to.equal(200);
    expect(backend.requests).to.deep.equal([]);
  });

  it('because of fields above the limit is refused', async () => {
    using client = await H2Client.connect(front.port, 'a.test');
    const fields = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'x'.repeat(2_000)]));
    expect((await client.request(fields)).status).not.to.equal(200);
    expect(backend.requests).to.deep.equal([]);
  });
});
