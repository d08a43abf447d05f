/**
 * Fields are octets: what is beyond ASCII passes as it came, in both directions. A character of these texts is an octet.
 */
import { expect } from 'chai';
import { connect } from 'node:http2';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { startFront } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { RawClient } from '../../support/raw-client.js';
import { startRaw } from '../../support/raw-upstream.js';
import { startRecordingBackend } from '../../support/recording-backend.js';

const HIGH = String.fromCharCode(...Array.from({ length: 0x80 }, (_, i) => 0x80 + i));
/** UTF-8 of é and €, and latin1 of é, which is no UTF-8. */
const VALUES = ['\xc3\xa9', '\xe2\x82\xac', 'caf\xe9', HIGH];
const NAMES = ['Location', 'Set-Cookie', 'Content-Disposition', 'X-Any', 'ETag'];

const ORDERS = ['length first', 'length last', 'chunked'] as const;
const TIMINGS = ['together', 'apart'] as const;

/** A field with each of the octets, alone. */
const EACH = Array.from(HIGH, (octet) => `X-${octet.charCodeAt(0).toString(16)}: ${octet}\r\n`);

const get = (fields = ''): string => `GET / HTTP/1.1\r\nHost: a.test\r\n${fields}Connection: close\r\n\r\n`;

function headOf(fields: readonly string[], order: (typeof ORDERS)[number]): string {
  const length = 'Content-Length: 4\r\n';
  if (order === 'chunked') return [...fields, 'Transfer-Encoding: chunked\r\n', '\r\n'].join('');
  return [
    order === 'length first' ? length : '',
    ...fields,
    order === 'length last' ? length : '',
    '\r\n',
  ].join('');
}

/** Answers every request with a head and a body; the body at once, or when the client has had the head. */
async function answering(head: string, body: string, timing: (typeof TIMINGS)[number]): Promise<string> {
  const later: Socket[] = [];
  await using backend = await startRaw((socket) => {
    socket.write(timing === 'together' ? head + body : head, 'latin1');
    if (timing === 'apart') later.push(socket);
  });
  await using front = await startFront({ backends: [backend.origin] });
  using client = await RawClient.connect(front.port, 'a.test');
  client.send(get());
  if (timing === 'apart') {
    await client.until('the head is there', ({ received }) => received.includes('\r\n\r\n'));
    for (const socket of later) socket.write(body, 'latin1');
  }
  return await client.closed();
}

describe('The octets of a response', () => {
  for (const order of ORDERS) {
    for (const timing of TIMINGS) {
      const body = order === 'chunked' ? '4\r\nbody\r\n0\r\n\r\n' : 'body';

      it(`pass in every field and in the reason as they are: ${order}, head and body ${timing}`, async () => {
        const fields = NAMES.flatMap((name) => VALUES.map((value) => `${name}: ${value}\r\n`));
        for (const reason of [...VALUES, '']) {
          const received = await answering(
            `HTTP/1.1 200 ${reason}\r\n${headOf([...fields, ...EACH], order)}`,
            body,
            timing,
          );
          expect(received.startsWith(`HTTP/1.1 200 ${reason}\r\n`)).to.equal(true);
          for (const field of [...fields, ...EACH]) expect(received).to.include(`\r\n${field}`);
          expect(received.endsWith(`\r\n\r\n${body}`)).to.equal(true);
        }
      });
    }
  }

  it('pass in trailers and in early hints', async () => {
    const trailers = VALUES.map((value, i) => `X-${i}: ${value}\r\n`).join('');
    const hints = VALUES.map((value) => `</${value}>; rel=preload`).join(', ');
    const received = await answering(
      `HTTP/1.1 103 Early Hints\r\nLink: ${hints}\r\nX-Hint: ${HIGH}\r\n\r\n` +
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-0\r\n\r\n',
      `4\r\nbody\r\n0\r\n${trailers}\r\n`,
      'together',
    );
    expect(received).to.include(`HTTP/1.1 103 Early Hints\r\nLink: ${hints}\r\nX-Hint: ${HIGH}\r\n\r\n`);
    for (const [i, value] of VALUES.entries()) expect(received).to.include(`\r\nX-${i}: ${value}\r\n`);
    expect(received).to.include('\r\nTrailer: X-0\r\n');
  });

  it('pass in the fields of an answer without a body, be it to HEAD', async () => {
    for (const [method, status] of [
      ['HEAD', '200'],
      ['GET', '204'],
      ['GET', '304'],
    ] as const) {
      await using backend = await startRaw((socket) =>
        socket.write(`HTTP/1.1 ${status} ${HIGH}\r\nX-A: ${HIGH}\r\nSet-Cookie: ${HIGH}\r\n\r\n`, 'latin1'),
      );
      await using front = await startFront({ backends: [backend.origin] });
      using client = await RawClient.connect(front.port, 'a.test');
      const received = await client.send(get().replace('GET', method)).closed();
      expect(received).to.include(`HTTP/1.1 ${status} ${HIGH}\r\n`);
      expect(received).to.include(`\r\nX-A: ${HIGH}\r\n`);
    }
  });

  it('pass in an answer that is no upgrade, and in a 101', async () => {
    for (const status of ['426', '101']) {
      await using backend = await startRaw((socket) =>
        socket.write(
          `HTTP/1.1 ${status} ${HIGH}\r\nX-A: ${HIGH}\r\n` +
            `${status === '101' ? 'Connection: upgrade\r\nUpgrade: own\r\n' : 'Content-Length: 0\r\n'}\r\n`,
          'latin1',
        ),
      );
      await using front = await startFront({ backends: [backend.origin] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(`GET / HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\n`);
      await client.until('it is answered', ({ received }) => received.includes('\r\n\r\n'));
      expect(client.received).to.include(`HTTP/1.1 ${status} ${HIGH}\r\n`);
      expect(client.received).to.include(`\r\nX-A: ${HIGH}\r\n`);
    }
  });

  for (const timing of TIMINGS) {
    it(`pass from an HTTP/2 backend, head and body ${timing}`, async () => {
      const goOn: (() => void)[] = [];
      await using backend = await startH2Backend((stream) => {
        const fields = Object.fromEntries(NAMES.map((name) => [name, name === 'Set-Cookie' ? VALUES : HIGH]));
        stream.respond({ ...fields, ':status': 200, 'content-length': '4' });
        if (timing === 'together') stream.end('body');
        else goOn.push(() => stream.end('body'));
      });
      await using front = await startFront({ backends: [backend.url] });
      using client = await RawClient.connect(front.port, 'a.test');
      client.send(get());
      if (timing === 'apart') {
        await client.until('the head is there', ({ received }) => received.includes('\r\n\r\n'));
        for (const end of goOn) end();
      }
      const received = await client.closed();
      for (const name of NAMES)
        expect(received).to.include(
          `\r\n${name.toLowerCase()}: ${name === 'Set-Cookie' ? (VALUES[0] ?? '') : HIGH}\r\n`,
        );
      expect(received.endsWith('\r\n\r\nbody')).to.equal(true);
    });
  }

  it('pass to an HTTP/2 client', async () => {
    const fields = NAMES.map((name) => `${name}: ${HIGH}\r\n`);
    await using backend = await startRaw((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${headOf(fields, 'length first')}body`, 'latin1'),
    );
    await using front = await startFront({ backends: [backend.origin] });
    const session = connect(`https://127.0.0.1:${front.port}`, {
      servername: 'a.test',
      rejectUnauthorized: false,
    });
    try {
      const stream = session.request({ ':authority': 'a.test' });
      const [headers] = (await once(stream, 'response')) as [Record<string, string | string[]>];
      for (const name of NAMES) {
        const value = headers[name.toLowerCase()];
        expect(Array.isArray(value) ? value[0] : value).to.equal(HIGH);
      }
      stream.resume();
      await once(stream, 'end');
    } finally {
      session.destroy();
    }
  });
});

describe('The octets of a request', () => {
  const values = VALUES.map((value, i) => `X-Value-${i}: ${value}\r\n`).join('');

  it('reach an HTTP/1.1 backend as they are', async () => {
    await using backend = await startRecordingBackend();
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    await client.send(get(values + EACH.join(''))).closed();
    expect(backend.errors).to.deep.equal([]);
    for (const [i, value] of VALUES.entries()) {
      expect(backend.requests[0]?.fields).to.deep.include([`x-value-${i}`, value]);
    }
    for (const octet of HIGH) {
      expect(backend.requests[0]?.fields).to.deep.include([`x-${octet.charCodeAt(0).toString(16)}`, octet]);
    }
  });

  it('reach an HTTP/2 backend as they are', async () => {
    await using backend = await startH2Backend((stream) => {
      stream.respond({ ':status': 200, 'content-length': '0' });
      stream.end();
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await RawClient.connect(front.port, 'a.test');
    await client.send(get(values)).closed();
    for (const [i, value] of VALUES.entries()) expect(backend.requests[0]?.[`x-value-${i}`]).to.equal(value);
  });
});
