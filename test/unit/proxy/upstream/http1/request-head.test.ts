import { expect } from 'chai';
import { Readable } from 'node:stream';
import { FixedFields } from '../../../../../lib/proxy/headers/fixed-fields.js';
import { requestHead, trailerText } from '../../../../../lib/proxy/upstream/http1/request-head.js';
import { bodyOf } from '../../../../support/stream-body.js';
import type { UpstreamRequest } from '../../../../../lib/proxy/upstream/upstream.js';

function request(parts: Partial<UpstreamRequest>): UpstreamRequest {
  return { method: 'GET', path: '/', host: 'a.test', headers: [], body: null, ...parts };
}
const body = bodyOf(Readable.from([]));

describe('The head of a request to a backend', () => {
  const cases: [
    what: string,
    parts: Partial<UpstreamRequest>,
    lines: string[],
    bodyBytes: number | undefined,
  ][] = [
    ['has the fields as they are', { headers: ['x-A', 'b', 'C', 'd'] }, ['x-A: b', 'C: d'], 0],
    ['without a body that is expected says so', { method: 'POST' }, ['Content-Length: 0'], 0],
    [
      'keeps the length of a body',
      { method: 'POST', headers: ['Content-Length', '4'], body },
      ['Content-Length: 4'],
      4,
    ],
    [
      'keeps a length of nothing',
      { method: 'POST', headers: ['content-length', '0'] },
      ['content-length: 0'],
      0,
    ],
    [
      'has what is added behind the others',
      { headers: ['x-A', 'b'], added: new FixedFields(['X-Forwarded-Host', 'a.test', 'Via', '1.1 \xe9']) },
      ['x-A: b', 'X-Forwarded-Host: a.test', 'Via: 1.1 \xe9'],
      0,
    ],
    ['announces chunks', { method: 'POST', body }, ['Transfer-Encoding: chunked'], undefined],
  ];
  for (const [what, parts, lines, bodyBytes] of cases) {
    it(what, () => {
      const head = requestHead(request(parts), 'fallback.test');
      const start = [`${parts.method ?? 'GET'} / HTTP/1.1`, 'Host: a.test', 'Connection: keep-alive'];
      expect(head).to.deep.equal({ text: [...start, ...lines, '', ''].join('\r\n'), bodyBytes });
    });
  }

  it('makes the lines of what is added once', () => {
    const added = new FixedFields(['Via', '1.1 proxy']);
    const first = requestHead(request({ added }), '').text;
    expect(requestHead(request({ added }), '').text).to.equal(first);
    const again = added.lines(() => expect.fail('they were made already'));
    expect(again).to.equal('Via: 1.1 proxy\r\n');
  });

  it('names the backend where the client has named no host', () => {
    expect(requestHead(request({ host: undefined }), 'fallback.test').text).to.include(
      'Host: fallback.test\r\n',
    );
  });

  const refused: [what: string, parts: Partial<UpstreamRequest>][] = [
    ['a method with a space', { method: 'GET /x' }],
    ['an empty target', { path: '' }],
    ['a target with a space', { path: '/ HTTP/1.1' }],
    ['a target with a line end', { path: '/\r\nX: y' }],
    ['a target beyond latin1', { path: '/\u0141' }],
    ['a host with a line end', { host: 'a\r\nX: y' }],
    ['a name with a colon', { headers: ['a:b', 'c'] }],
    ['an empty name', { headers: ['', 'c'] }],
    ['a value with a line end', { headers: ['a', 'b\r\nX: y'] }],
    ['a value with an LF', { headers: ['a', 'b\n'] }],
    ['a value with a NUL', { headers: ['a', 'b\0'] }],
    ['a value beyond latin1', { headers: ['a', '\u010a'] }],
    ['two lengths', { headers: ['Content-Length', '1', 'content-length', '1'], body }],
    ['a length that is none', { headers: ['Content-Length', '+1'], body }],
    ['a length without a body', { headers: ['Content-Length', '1'] }],
    ['an added value with a line end', { added: new FixedFields(['a', 'b\r\nX: y']) }],
    ['an added length', { added: new FixedFields(['Content-Length', '0']) }],
    ['a coding of its own', { headers: ['Transfer-Encoding', 'chunked'], body }],
  ];
  for (const [what, parts] of refused) {
    it(`is refused for ${what}`, () => {
      expect(() => requestHead(request(parts), 'fallback.test')).to.throw();
    });
  }

  it('leaves out trailers that are none', () => {
    expect(trailerText(['A', 'b', 'C:', 'd', 'E', 'f\r\ng', 'H', ''])).to.equal('A: b\r\nH: \r\n');
  });
});
