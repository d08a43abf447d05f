/**
 * Fields whose names every JavaScript object has something under: they pass like any others, both ways, in heads, hints and
 * trailers.
 */
import { expect } from 'chai';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { startBackend, type Backend } from '../../support/backend.js';
import { startFront, type Front } from '../../support/front.js';
import { startH2Backend, type H2Backend } from '../../support/h2-backend.js';
import { H2Client } from '../../support/h2-client.js';
import { RawClient } from '../../support/raw-client.js';

const NAMES = ['constructor', '__proto__', 'tostring', 'hasownproperty', 'valueof', 'prototype'];
/** Twice each: what is there once may be all there is. */
const FIELDS = NAMES.flatMap((name) => [
  [name, `${name} 1`],
  [name, `${name} 2`],
]);
const LINES = FIELDS.map(([name, value]) => `${name ?? ''}: ${value ?? ''}\r\n`).join('');

/** As Node's HTTP/2 takes and gives them. */
function asObject(): OutgoingHttpHeaders {
  const fields = Object.create(null) as OutgoingHttpHeaders;
  for (const name of NAMES) fields[name] = [`${name} 1`, `${name} 2`];
  return fields;
}

/** What is there under the names, one field a line; HTTP/2 joins what is repeated. */
const ofObject = (headers: IncomingHttpHeaders): string[] =>
  Object.entries(headers)
    .filter(([name]) => NAMES.includes(name))
    .map(([name, value]) => `${name}: ${String(value)}`);
const JOINED = NAMES.map((name) => `${name}: ${name} 1, ${name} 2`);
const SEPARATE = FIELDS.map(([name, value]) => `${name ?? ''}: ${value ?? ''}`);
const ofLines = (text: string): string[] =>
  text.split('\r\n').filter((line) => NAMES.includes(line.split(':', 1)[0] ?? ''));
const ofRaw = (raw: readonly string[]): string[] =>
  raw.flatMap((name, i) => (i % 2 === 0 && NAMES.includes(name) ? [`${name}: ${raw[i + 1] ?? ''}`] : []));

describe('A field with the name of a member of every object', () => {
  let http1: Backend;
  let http2: H2Backend;
  let fronts: Record<'HTTP/1.1' | 'HTTP/2', Front>;
  /** What the backends were sent: heads, then trailers. */
  const requests: string[][] = [];

  before(async () => {
    http1 = await startBackend((request) => {
      const { rawHeaders } = request;
      request.resume().on('end', () => {
        requests.push(ofRaw(rawHeaders), ofRaw(request.rawTrailers));
        request.socket.end(
          `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n${LINES}\r\n` +
            `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${LINES}\r\n1\r\nx\r\n0\r\n${LINES}\r\n`,
          'latin1',
        );
      });
    });
    http2 = await startH2Backend((stream, headers) => {
      let trailers: IncomingHttpHeaders = {};
      stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields));
      stream.resume().on('end', () => {
        requests.push(ofObject(headers), ofObject(trailers));
        stream.additionalHeaders({ ':status': 103, link: '</a>', ...asObject() });
        stream.respond({ ':status': 200, ...asObject() }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(asObject()));
        stream.end('x');
      });
    });
    fronts = {
      'HTTP/1.1': await startFront({ backends: [http1.url] }),
      'HTTP/2': await startFront({ backends: [http2.url] }),
    };
  });
  after(async () => {
    for (const front of Object.values(fronts)) await front[Symbol.asyncDispose]();
    await http1[Symbol.asyncDispose]();
    await http2[Symbol.asyncDispose]();
  });
  beforeEach(() => (requests.length = 0));

  for (const to of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`passes from HTTP/1.1 to a backend on ${to}, and back`, async () => {
      using client = await RawClient.connect(fronts[to].port, 'a.test');
      client.send(
        `POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n${LINES}\r\n` +
          `1\r\nx\r\n0\r\n${LINES}\r\n`,
      );
      const parts = (await client.closed()).split(/(?<=\r\n\r\n)/);
      if (to === 'HTTP/1.1') expect(parts.shift()).to.equal('HTTP/1.1 102 Processing\r\n\r\n');
      const [hints = '', head = '', body = ''] = parts;
      expect(hints).to.match(/^HTTP\/1\.1 103 /);
      expect(ofLines(hints)).to.deep.equal(to === 'HTTP/1.1' ? SEPARATE : JOINED);
      expect(head).to.match(/^HTTP\/1\.1 200 /);
      expect(ofLines(head)).to.deep.equal(to === 'HTTP/1.1' ? SEPARATE : JOINED);
      expect(ofLines(body)).to.deep.equal(to === 'HTTP/1.1' ? SEPARATE : JOINED);
      const arrived = to === 'HTTP/1.1' ? SEPARATE : JOINED;
      expect(requests).to.deep.equal([arrived, arrived]);
    });

    it(`passes from HTTP/2 to a backend on ${to}, and back`, async () => {
      using client = await H2Client.connect(fronts[to].port, 'a.test');
      const response = await client.request({ ':method': 'POST', ...asObject() }, 'x', asObject());
      const hints = response.hints.map((fields) => [fields[':status'], ofObject(fields)]);
      expect(hints).to.deep.equal([...(to === 'HTTP/1.1' ? [[102, []]] : []), [103, JOINED]]);
      expect(ofObject(response.headers)).to.deep.equal(JOINED);
      expect(ofObject(response.trailers)).to.deep.equal(JOINED);
      const arrived = to === 'HTTP/1.1' ? SEPARATE : JOINED;
      expect(requests).to.deep.equal([arrived, arrived]);
    });
  }
});
