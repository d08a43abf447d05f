/**
 * Expectations (RFC 9110 §10.1.1) that make one side wait for a body, or take one for a request.
 */
import { expect } from 'chai';
import { eventually } from '../../../support/eventually.js';
import { startFront } from '../../../support/front.js';
import { describeHostile, get, POISON, post, statuses, type Case } from '../../../support/hostile.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRaw } from '../../../support/raw-upstream.js';

const BODY = `Content-Length: ${POISON.length}`;
const others = [
  ...[
    '',
    'tea',
    '100',
    '200-ok',
    '100-continued',
    'x100-continue',
    '100 continue',
    '100_continue',
    '100-continue;',
    '100-continue;q=1',
  ],
  ...[
    '100-continue,',
    '100-continue, tea',
    'tea, 100-continue',
    '100-continue, 100-continue',
    '"100-continue"',
    '100-\xa0continue',
    '\xa0100-continue',
  ],
  ...['100-continue\xa0', 'y 100-continue', '100-continue y', '0100-continue', '+100-continue'],
];

describeHostile('An expectation', [
  ...others.map((value): Case => [
    `of ${JSON.stringify(value)}`,
    post([`Expect: ${value}`, BODY], POISON),
    417,
  ]),
  [
    'that is another one behind the known one',
    post(['Expect: 100-continue', 'Expect: tea', BODY], POISON),
    417,
  ],
  ['with a blank before its colon', post(['Expect : 100-continue', BODY], POISON), 400],
  ['that is folded', post(['Expect:', ' 100-continue', BODY], POISON), 400],
  ['with a control character', post(['Expect: 100-continue\x0b', BODY], POISON), 400],
  ['with an ambiguous length', post(['Expect: 100-continue', BODY, 'Content-Length: 0'], POISON), 400],
  [
    'with a length and chunks',
    post(['Expect: 100-continue', BODY, 'Transfer-Encoding: chunked'], POISON),
    400,
  ],
  ['with an unknown coding', post(['Expect: 100-continue', 'Transfer-Encoding: x'], POISON), 501],
  ['for another host', post(['Expect: 100-continue', BODY], POISON).replace('a.test', 'other.example'), 421],
  ['without a body', get('Host: a.test', 'Expect: 100-continue'), { lacks: ['expect'] }],
  ['with a body of nothing', post(['Expect: 100-continue', 'Content-Length: 0']), { lacks: ['expect'] }],
  [
    'in HTTP/1.0',
    post(['Expect: 100-continue', BODY], POISON).replace('1.1', '1.0'),
    { body: POISON, lacks: ['expect'], isLast: true },
  ],
  [
    'that nobody knows in HTTP/1.0',
    post(['Expect: tea', BODY], POISON).replace('1.1', '1.0'),
    { body: POISON, lacks: ['expect'], isLast: true },
  ],
  [
    'that Connection names',
    get('Host: a.test', 'Connection: expect', 'Expect: 100-continue'),
    { lacks: ['expect'] },
  ],
  ['by a name with an underscore', get('Host: a.test', 'Ex_pect: 100-continue'), {}],
]);

const waiting = (method: string, ...fields: string[]): string =>
  [`${method} /x HTTP/1.1`, 'Host: a.test', 'Expect: 100-continue', ...fields, '', ''].join('\r\n');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('A client that expects 100 Continue', () => {
  for (const method of ['GET', 'POST', 'BAN'])
    for (const [framing, fields, body] of [
      ['a length', ['Content-Length: 4'], 'body'],
      ['chunks', ['Transfer-Encoding: chunked'], '4\r\nbody\r\n0\r\n\r\n'],
    ] as const) {
      it(`is told to send its body of ${framing} (${method}), once, and then answered`, async () => {
        await using backend = await startRaw((socket, text) => text.endsWith(body) && socket.write(OK));
        await using front = await startFront({ backends: [backend.origin] });
        using client = await RawClient.connect(front.port, 'a.test');
        client.send(waiting(method, ...fields));
        await client.until('it is told', ({ received }) => received === 'HTTP/1.1 100 Continue\r\n\r\n');
        // The backend has heard nothing yet: without the body another one could be asked.
        expect(backend.read.flat()).to.deep.equal([]);
        client.send(body);
        await client.until('it is answered', ({ received }) => received.endsWith('ok'));
        expect(statuses(client.received)).to.deep.equal([100, 200]);
        expect(backend.read.flat().join('')).not.to.match(/expect/i);
      });

      it(`and does not wait with its body of ${framing} (${method}) is answered all the same`, async () => {
        await using backend = await startRaw((socket, text) => text.endsWith(body) && socket.write(OK));
        await using front = await startFront({ backends: [backend.origin] });
        using client = await RawClient.connect(front.port, 'a.test');
        client.send(waiting(method, ...fields) + body + POISON.replace('/poison', '/next'));
        await eventually('the next one is there', () => backend.read.flat().join('').includes('GET /next '));
        expect(statuses(client.received).filter((status) => status !== 100)).to.deep.equal([200]);
        expect(
          backend.read
            .flat()
            .join('')
            .match(/HTTP\/1\.1/g),
        ).to.have.length(2);
      });
    }

  it('and is answered before it has sent its body is not heard any more on that connection', async () => {
    await using backend = await startRaw((socket) => socket.write(OK));
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(waiting('POST', `Content-Length: ${POISON.length + 4}`));
    await client.until('it is told', ({ received }) => received.includes('100 Continue'));
    client.send('some');
    await client.until('it is answered', ({ received }) => received.endsWith('ok'));
    client.send(POISON + POISON);
    const received = await client.closed();
    expect(statuses(received)).to.deep.equal([100, 200]);
    expect(received).to.match(/\r\nConnection: close\r\n/);
    expect(
      backend.read
        .flat()
        .join('')
        .match(/HTTP\/1\.1/g),
    ).to.have.length(1);
  });

  it('and is refused is not heard any more on that connection', async () => {
    await using backend = await startRaw((socket) => socket.write(OK));
    await using front = await startFront({ backends: [backend.origin] });
    using client = await RawClient.connect(front.port, 'a.test');
    client.send(waiting('POST', BODY).replace('/x', '/.peter_sslers/x'));
    await client.until('it is answered', ({ received }) => received.includes('HTTP/1.1 404 '));
    client.send(POISON + POISON);
    expect(statuses(await client.closed())).to.deep.equal([404]);
    expect(backend.read.flat()).to.deep.equal([]);
  });
});
