/**
 * What is no request is answered here, and never reaches the backend.
 */
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { startProgram, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';

describe('A bad request', () => {
  let backend: Backend;
  let program: Program;

  before(async () => {
    backend = await startBackend();
    program = await startProgram(['--backend', backend.url]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const cases: [what: string, status: number, text: string][] = [
    ['without a Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['with two Hosts', 400, 'GET / HTTP/1.1\r\nHost: a.localhost\r\nHost: b.localhost\r\n\r\n'],
    ['with a malformed Host', 400, 'GET / HTTP/1.1\r\nHost: a.localhost/x\r\n\r\n'],
    ['with a user name in the Host', 400, 'GET / HTTP/1.1\r\nHost: u@a.localhost\r\n\r\n'],
    ['with a malformed request line', 400, 'GET\r\nHost: a.localhost\r\n\r\n'],
    ['with a target that is none', 400, 'GET x HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['of another protocol', 400, 'EHLO a.localhost\r\n'],
    ['with a malformed field', 400, 'GET / HTTP/1.1\r\nHost: a.localhost\r\nx y: 1\r\n\r\n'],
    [
      'with both a length and chunks',
      400,
      'POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'with two lengths',
      400,
      'POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    ],
    [
      'with huge fields',
      431,
      `GET / HTTP/1.1\r\nHost: a.localhost\r\n${`X-Filler: ${'x'.repeat(10_000)}\r\n`.repeat(10_000)}\r\n`,
    ],
  ];
  for (const [what, status, text] of cases) {
    it(`${what} is answered ${status}, and the connection closed`, async () => {
      using client = await RawClient.connect(program.port, 'a.localhost');
      await client.sendAll(text);
      const received = await client.closed();
      expect(received).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(received).to.match(/\r\nConnection: close\r\n/i);
      expect(received).to.match(/\r\nDate: /);
      expect(backend.requests).to.have.length(0);
    });
  }

  for (const [what, status, chunk] of [
    ['with a malformed chunk', 400, 'zz\r\n'],
    ['with too much of chunk extensions', 413, `1;${'a'.repeat(20_000)}`],
    ['with too much of trailers', 431, `0\r\nA: ${'b'.repeat(70_000)}`],
  ] as const)
    it(`${what}, and very much behind it, is answered ${status}, and does not keep the worker`, async () => {
      await using patient = await startBackend((request, response) =>
        request.resume().on('end', () => response.end('whole')),
      );
      await using other = await startProgram(['--backend', patient.url]);
      using client = await RawClient.connect(other.port, 'a.localhost');
      const head = 'POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
      client.send(head + chunk);
      for (let i = 0; i < 100; i++) client.send('x'.repeat(10_000));
      expect(await client.closed()).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      using next = await RawClient.connect(other.port, 'a.localhost');
      next.send('GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n');
      await next.until('it is answered', ({ received }) => received.startsWith('HTTP/1.1 200 '));
      expect(other.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
    });

  it('behind a good one in the same segment does not take the answer of that one along', async () => {
    await using echo = await startBackend((_, response) => response.end('good'));
    await using other = await startProgram(['--backend', echo.url]);
    using client = await RawClient.connect(other.port, 'a.localhost');
    client.send('GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\nGET / HTTP/1.1\r\n\r\n');
    const received = await client.closed();
    expect(received.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(echo.requests).to.have.length(1);
  });
});
