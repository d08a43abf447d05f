/**
 * What is written to a client, for a connection that only notes it.
 */
import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import { parseRequestHead } from '../../../../../lib/proxy/downstream/http1/request-head.js';
import {
  Http1ResponseWriter,
  type ResponseConnection,
} from '../../../../../lib/proxy/downstream/http1/response-writer.js';

class FakeConnection implements ResponseConnection {
  readonly client = { negotiated: [] };
  readonly encryptsAtOnce = false;
  readonly keepAliveFields = 'Connection: keep-alive\r\n\r\n';
  /** What goes out, one text a write. */
  readonly writes: string[] = [];
  readonly told: string[] = [];
  mayKeep = true;
  isTaking = true;

  get sent(): string {
    return this.writes.join('').replace(/^Date: .*\r\n/m, '');
  }
  isKept(): boolean {
    return this.mayKeep;
  }
  endAfterResponse(): void {
    this.mayKeep = false;
    this.told.push('last');
  }
  dropRequest(): void {
    this.told.push('drop');
  }
  write(text: string, pieces: readonly Buffer[], tail: string): boolean {
    this.writes.push(text + Buffer.concat(pieces).toString('latin1') + tail);
    return this.isTaking;
  }
  onEnd(): void {
    this.told.push('end');
  }
  destroy(): void {
    this.told.push('destroy');
  }
}

interface Answer {
  readonly request?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly fields?: readonly string[];
  readonly body?: readonly string[];
  readonly trailers?: readonly string[];
  readonly isAll?: boolean;
  readonly mayKeep?: boolean;
}

const writerFor = (
  line = 'GET / HTTP/1.1',
  connection = new FakeConnection(),
): { writer: Http1ResponseWriter; connection: FakeConnection } => ({
  writer: new Http1ResponseWriter('0123456789abcdef', parseRequestHead(`${line}\r\n`), connection),
  connection,
});

/** Answers at one go. */
function answer(parts: Answer): { writer: Http1ResponseWriter; connection: FakeConnection } {
  const {
    request,
    status = 200,
    reason,
    fields = [],
    body = [],
    trailers = [],
    isAll,
    mayKeep = true,
  } = parts;
  const { writer, connection } = writerFor(request);
  connection.mayKeep = mayKeep;
  writer.head(status, reason, fields, isAll);
  for (const piece of body) writer.write(Buffer.from(piece, 'latin1'));
  writer.end(trailers);
  return { writer, connection };
}

const KEPT = 'Connection: keep-alive\r\n\r\n';
const CLOSED = 'Connection: close\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

describe('A response to an HTTP/1.1 client', () => {
  const cases: [what: string, parts: Answer, sent: string, told?: string[]][] = [
    [
      'has the length that it is given',
      { fields: ['X-a', 'b', 'content-length', '4'], body: ['bo', 'dy'] },
      `HTTP/1.1 200 OK\r\nX-a: b\r\ncontent-length: 4\r\n${KEPT}body`,
    ],
    [
      'is in chunks without a length',
      { body: ['body'] },
      `HTTP/1.1 200 OK\r\n${CHUNKED}${KEPT}4\r\nbody\r\n0\r\n\r\n`,
    ],
    [
      'has what comes in one turn in one chunk',
      { body: ['a', 'b', 'c'.repeat(14)] },
      `HTTP/1.1 200 OK\r\n${CHUNKED}${KEPT}10\r\nab${'c'.repeat(14)}\r\n0\r\n\r\n`,
    ],
    ['may have no chunk', {}, `HTTP/1.1 200 OK\r\n${CHUNKED}${KEPT}0\r\n\r\n`],
    [
      'has no chunk of nothing, which would be its end',
      { body: ['a', '', 'b'] },
      `HTTP/1.1 200 OK\r\n${CHUNKED}${KEPT}2\r\nab\r\n0\r\n\r\n`,
    ],
    [
      'has its trailers behind its chunks',
      { body: ['x'], trailers: ['X-Sum', '1'] },
      `HTTP/1.1 200 OK\r\n${CHUNKED}${KEPT}1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n`,
    ],
    [
      'has no trailers where it has a length',
      { fields: ['Content-Length', '1'], body: ['x'], trailers: ['X-Sum', '1'] },
      `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${KEPT}x`,
    ],
    ['says that it is empty', { isAll: true }, `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${KEPT}`],
    [
      'has the reason that it is given',
      { reason: 'F\xefne', isAll: true, status: 201 },
      `HTTP/1.1 201 F\xefne\r\nContent-Length: 0\r\n${KEPT}`,
    ],
    [
      'may have an empty reason',
      { reason: '', isAll: true },
      `HTTP/1.1 200 \r\nContent-Length: 0\r\n${KEPT}`,
    ],
    [
      'may have a status that nobody knows',
      { status: 799, isAll: true },
      `HTTP/1.1 799 \r\nContent-Length: 0\r\n${KEPT}`,
    ],
    [
      'says that it is the last',
      { isAll: true, mayKeep: false },
      `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${CLOSED}`,
    ],
    [
      'to HEAD has the length, and no body',
      { request: 'HEAD / HTTP/1.1', fields: ['Content-Length', '4'], body: ['body'] },
      `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n${KEPT}`,
    ],
    [
      'to HEAD has no chunks',
      { request: 'HEAD / HTTP/1.1', body: ['body'], trailers: ['a', 'b'] },
      `HTTP/1.1 200 OK\r\n${KEPT}`,
    ],
    [
      'to HEAD of HTTP/1.0 may keep the connection',
      { request: 'HEAD / HTTP/1.0', body: ['body'] },
      `HTTP/1.1 200 OK\r\n${KEPT}`,
    ],
    [
      'with 204 has no body, and is not told to have one',
      { status: 204, body: ['body'] },
      `HTTP/1.1 204 No Content\r\n${KEPT}`,
    ],
    [
      'with 304 has no body, and the length that it would have',
      { status: 304, fields: ['Content-Length', '4'], body: ['body'] },
      `HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n${KEPT}`,
    ],
    [
      'with 205 has an end like every other one',
      { status: 205, body: ['body'] },
      `HTTP/1.1 205 Reset Content\r\n${CHUNKED}${KEPT}4\r\nbody\r\n0\r\n\r\n`,
    ],
    [
      'to HTTP/1.0 lasts until the connection is closed',
      { request: 'GET / HTTP/1.0', body: ['a', 'b'], trailers: ['c', 'd'] },
      `HTTP/1.1 200 OK\r\n${CLOSED}ab`,
      ['last', 'end'],
    ],
    [
      'to HTTP/1.0 with a length may keep it',
      { request: 'GET / HTTP/1.0', fields: ['Content-Length', '1'], body: ['x'] },
      `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${KEPT}x`,
    ],
    [
      'has the first of two lengths',
      { fields: ['Content-Length', '4', 'content-length', '0'], body: ['body'] },
      `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n${KEPT}body`,
    ],
    [
      'has no length that is none',
      { fields: ['Content-Length', '+4'], body: ['body'] },
      `HTTP/1.1 200 OK\r\n${CHUNKED}${KEPT}4\r\nbody\r\n0\r\n\r\n`,
    ],
    [
      'that asks for another protocol says so',
      { status: 426, fields: ['Upgrade', 'own'], isAll: true },
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: own\r\nContent-Length: 0\r\nConnection: upgrade\r\n\r\n',
    ],
    [
      'that asks for another protocol and is the last says both',
      { status: 426, fields: ['Upgrade', 'own'], isAll: true, mayKeep: false },
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: own\r\nContent-Length: 0\r\nConnection: close, upgrade\r\n\r\n',
    ],
  ];
  for (const [what, parts, sent, told = ['end']] of cases)
    it(what, () => {
      const { connection } = answer(parts);
      expect(connection.sent).to.equal(sent);
      expect(connection.told).to.deep.equal(told);
      expect(connection.writes).to.have.length(1);
    });

  it('has a date, unless it has one', () => {
    const dates = ({ connection }: { connection: FakeConnection }): string[] =>
      connection.writes.join('').match(/^Date: .*$/gim) ?? [];
    expect(dates(answer({ isAll: true }))[0]).to.match(/^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT/);
    expect(dates(answer({ fields: ['dATE', 'x'], isAll: true }))).to.deep.equal(['dATE: x']);
  });

  it('goes out at the end of a turn, head and body together', async () => {
    const { writer, connection } = writerFor();
    writer.head(200, undefined, []);
    writer.write(Buffer.from('a'));
    writer.write(Buffer.from('b'));
    expect(connection.writes).to.deep.equal([]);
    await turn();
    expect(connection.sent).to.match(/\r\n\r\n2\r\nab\r\n$/);
    expect(connection.writes).to.have.length(1);
    writer.write(Buffer.from('c'));
    await turn();
    writer.end([]);
    expect(connection.writes.slice(1)).to.deep.equal(['1\r\nc\r\n', '0\r\n\r\n']);
  });

  it('goes out at once when there is much of it', () => {
    const { writer, connection } = writerFor();
    writer.head(200, undefined, []);
    writer.write(Buffer.alloc(16_384, 'x'));
    expect(connection.writes).to.have.length(1);
  });

  it('that is shorter than it says is cut', () => {
    const { connection, writer } = answer({ fields: ['Content-Length', '5'], body: ['body'] });
    expect(connection.told).to.deep.equal(['destroy']);
    expect(connection.sent).to.match(/\r\n\r\nbody$/);
    expect(writer.isWhole).to.equal(false);
  });

  it('that is longer than it says is cut, and the rest kept back', () => {
    const { connection } = answer({ fields: ['Content-Length', '3'], body: ['bod', 'HTTP/1.1 200 OK\r\n'] });
    expect(connection.told).to.deep.equal(['destroy']);
    expect(connection.sent).to.match(/\r\n\r\nbod$/);
  });

  it('is written once', () => {
    const { writer, connection } = answer({ fields: ['Content-Length', '1'], body: ['x'] });
    const { sent } = connection;
    writer.head(500, undefined, []);
    writer.write(Buffer.from('more'));
    writer.end(['a', 'b']);
    writer.refuse(400);
    writer.inform(103, ['Link', '</a>']);
    expect(connection.sent).to.equal(sent);
  });

  it('may come behind early hints, in HTTP/1.1', () => {
    for (const [line, sent] of [
      ['GET / HTTP/1.1', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
      ['GET / HTTP/1.0', ''],
    ] as const) {
      const { writer, connection } = writerFor(line);
      writer.inform(103, ['Link', '</a>']);
      expect(connection.sent).to.equal(sent);
    }
  });

  for (const [status, isLast] of [
    ...([400, 405, 408, 421, 431, 501, 505] as const).map((ending) => [ending, true] as const),
    ...([404, 413, 417, 502, 503, 504] as const).map((other) => [other, false] as const),
  ])
    it(`${isLast ? 'ends' : 'does not end'} the connection by refusing with ${status}`, () => {
      const { writer, connection } = writerFor();
      writer.refuse(status);
      expect(connection.told).to.deep.equal([...(isLast ? ['last'] : []), 'drop', 'end']);
      expect(connection.sent).to.include(isLast ? CLOSED : KEPT);
      const [, head = '', body = ''] = /^([^]*?\r\n\r\n)([^]*)$/.exec(connection.sent) ?? [];
      expect(head).to.include(`HTTP/1.1 ${status} `).and.to.include(`Content-Length: ${body.length}\r\n`);
      expect(body).to.include('0123456789abcdef');
    });

  it('that has begun is cut when it fails, and else is a page', async () => {
    const begun = writerFor();
    begun.writer.head(200, undefined, []);
    begun.writer.write(Buffer.from('some'));
    await turn();
    begun.writer.fail(502);
    expect(begun.connection.told).to.deep.equal(['destroy']);
    expect(begun.connection.sent).to.match(/some\r\n$/);
    const fresh = writerFor();
    fresh.writer.fail(502);
    expect(fresh.connection.sent).to.match(/^HTTP\/1\.1 502 /);
  });

  it('tells once that it is over', () => {
    const { writer } = answer({ isAll: true });
    const told: boolean[] = [];
    writer.onClose(() => told.push(writer.isWhole));
    writer.close(true);
    writer.close(false);
    expect(told).to.deep.equal([true]);
  });

  it('holds up its sender as long as the client takes nothing, be it in small pieces', async () => {
    const { writer, connection } = writerFor();
    let drains = 0;
    writer.onDrain(() => (drains += 1));
    writer.head(200, undefined, []);
    expect(writer.write(Buffer.from('a'))).to.equal(true);
    connection.isTaking = false;
    await turn();
    // That one has gone out, and found the client slow.
    expect(writer.write(Buffer.from('b'))).to.equal(false);
    await turn();
    expect(writer.write(Buffer.from('c'))).to.equal(false);
    connection.isTaking = true;
    writer.drained();
    expect(drains).to.equal(1);
    expect(writer.write(Buffer.from('d'))).to.equal(true);
    await turn();
    expect(connection.sent).to.match(/1\r\na\r\n1\r\nb\r\n2\r\ncd\r\n$/);
  });

  it('tells whether its end was taken', async () => {
    const { writer, connection } = writerFor();
    writer.head(200, undefined, []);
    writer.write(Buffer.from('a'));
    connection.isTaking = false;
    await turn();
    expect(writer.end([])).to.equal(false);
  });
});
