/**
 * What must be true of any response, from the backend's head to the client's reader. Each of these makes responses from a seed,
 * and throws where it is not.
 */
import { expect } from 'chai';
import { parseRequestHead } from '../../lib/proxy/downstream/http1/request-head.js';
import {
  Http1ResponseWriter,
  type ResponseConnection,
} from '../../lib/proxy/downstream/http1/response-writer.js';
import { ResponseParser } from '../../lib/proxy/upstream/http1/response-parser.js';
import { count, madeBody, madeFields, pieces } from './http1-messages.js';
import type { SeededRandom } from './truth-random.js';

const NEXT = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

class FakeConnection implements ResponseConnection {
  readonly client = { negotiated: [] };
  readonly encryptsAtOnce = false;
  readonly keepAliveFields = 'Connection: keep-alive\r\n\r\n';
  text = '';
  isLast = false;
  isCut = false;
  isKept = (): boolean => !this.isLast;
  endAfterResponse(): void {
    this.isLast = true;
  }
  dropRequest(): void {
    // There is none.
  }
  write(text: string, parts: readonly Buffer[], tail: string): boolean {
    this.text += text + Buffer.concat(parts).toString('latin1') + tail;
    return true;
  }
  onEnd(): void {
    // It is seen by the writer.
  }
  destroy(): void {
    this.isCut = true;
  }
}

interface Read {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  /** Undefined: it is not whole. */
  readonly trailers: readonly string[] | undefined;
  readonly surplus: string;
}

function read(text: string, method: string, cut: readonly string[], isClosed: boolean): Read {
  let [status, body, rest]: [number, string, number] = [0, '', text.length];
  let fields: readonly string[] = [];
  let trailers: readonly string[] | undefined;
  const parser = new ResponseParser({
    onInterimHead: () => undefined,
    onUpgradeHead: () => undefined,
    onResponseHead: (head) => ([status, fields] = [head.status, head.fields]),
    onBodyPiece: (piece) => (body += piece.toString('latin1')),
    onResponseEnd: (last) => (trailers = last),
  });
  parser.start(method);
  for (const piece of cut) rest -= parser.read(Buffer.from(piece, 'latin1'));
  if (isClosed) parser.end();
  return { status, fields, body, trailers, surplus: rest === 0 ? '' : text.slice(-rest) };
}

/** A response is read as it was given, with nothing behind it; or it does not look whole. */
export function isReadAsGiven(random: SeededRandom): { readonly isCut: boolean } {
  const method = random.pick(['GET', 'GET', 'HEAD', 'POST']);
  const version = random.pick(['1.1', '1.1', '1.0']);
  const connection = new FakeConnection();
  const writer = new Http1ResponseWriter(
    'id',
    parseRequestHead(`${method} / HTTP/${version}\r\n`),
    connection,
  );
  const status = random.pick([200, 200, 201, 204, 205, 206, 302, 304, 404, 500, 599]);
  const hasNoBody = method === 'HEAD' || status === 204 || status === 304;
  const body = madeBody(random);
  const own = madeFields(random, 4);
  // Sometimes another length than the body has.
  const stated = body.length + (random.next() < 0.2 ? count(random, 5) - 2 : 0);
  const hasLength = random.next() < 0.5 && stated >= 0;
  const fields = hasLength ? [...own, 'Content-Length', String(stated)] : own;
  const trailers = madeFields(random, 2);
  writer.head(status, 'x', fields);
  for (const piece of body === '' ? [] : pieces(random, body)) {
    writer.write(Buffer.from(piece, 'latin1'));
    // The end of a turn.
    if (random.next() < 0.3) writer.flush();
  }
  const isGivenUp = random.next() < 0.1;
  if (isGivenUp) writer.cut();
  else writer.end(trailers);

  const isWrong = hasLength && stated !== body.length && !hasNoBody;
  expect(connection.isCut).to.equal(isGivenUp || isWrong);
  const { text, isCut, isLast } = connection;
  const isUntilClose = !hasNoBody && !hasLength && version === '1.0';
  const sent = isCut || isLast ? text : text + NEXT;
  const got = read(sent, method, random.next() < 0.5 ? [sent] : pieces(random, sent), isLast && !isCut);
  if (isCut) {
    // What of it went out may be all of it, where it was given up at its end.
    if (got.trailers !== undefined) expect(got.body).to.equal(hasNoBody ? '' : body.slice(0, stated));
    expect(body.startsWith(got.body)).to.equal(true);
    return { isCut };
  }
  expect(got.status).to.equal(status);
  expect(got.body).to.equal(hasNoBody ? '' : body);
  const isChunked = !hasNoBody && !hasLength && !isUntilClose;
  expect(got.trailers).to.deep.equal(isChunked ? trailers : []);
  expect(got.surplus).to.equal(isLast ? '' : NEXT);
  const kept = status === 204 ? own : fields;
  expect(got.fields.slice(0, kept.length)).to.deep.equal(kept);
  return { isCut };
}
