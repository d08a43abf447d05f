/**
 * What must be true of any message on HTTP/1.1. Each of these makes messages of its own from a seed, and throws where it is not.
 */
import { expect } from 'chai';
import type { Socket } from 'node:net';
import { destinationOf } from '../../lib/proxy/destination.js';
import type { RequestHead } from '../../lib/proxy/downstream/http1/request-head.js';
import { RequestBody } from '../../lib/proxy/downstream/request-body.js';
import { passableFields, requestTrailers } from '../../lib/proxy/headers/headers.js';
import { BodyWriter } from '../../lib/proxy/upstream/http1/body-writer.js';
import { requestHead } from '../../lib/proxy/upstream/http1/request-head.js';
import { madeRequest, mutated, pieces, type MadeRequest } from './http1-messages.js';
import { parseRequests, type Parsed, type ParsedRequest } from './request-recorder.js';
import { readStrictly, type RecordedRequest } from './strict-reader.js';
import type { SeededRandom } from './truth-random.js';

const MAX_HEAD_BYTES = 16_384;
const POISON = 'GET /poison HTTP/1.1\r\nHost: a.test\r\n\r\n';

type Fields = RecordedRequest['fields'];

/** Valid requests are read as they are, however they come. */
export function readsAsMade(random: SeededRandom): void {
  const made = Array.from({ length: 3 }, () => madeRequest(random));
  const text = made.map((request) => request.text).join('');
  const parsed = parseRequests([text], MAX_HEAD_BYTES);
  expect(parsed.error).to.equal(undefined);
  expect(parsed.requests.map(toldOf)).to.deep.equal(made.map(expectedOf));
  expect(parsed.ends.at(-1)).to.equal(text.length);
  expectSame(parsed, parseRequests(pieces(random, text), MAX_HEAD_BYTES));
}

/** A valid request reaches a backend as the same request. */
export function isWrittenAsRead(random: SeededRandom): void {
  const { text } = madeRequest(random);
  const [request] = parseRequests([text], MAX_HEAD_BYTES).requests;
  if (request === undefined) throw new Error('no request');
  expectRewritten(random, request);
}

/** What is made of a request whose octets were changed is one request to everybody, or none. */
export function isReadInOneWay(random: SeededRandom): { readonly accepted: number } {
  const text = mutated(random, madeRequest(random).text) + POISON;
  const parsed = parseRequests([text], MAX_HEAD_BYTES);
  expectSame(parsed, parseRequests(pieces(random, text), MAX_HEAD_BYTES));
  let accepted = 0;
  let start = 0;
  for (const [i, request] of parsed.requests.entries()) {
    const end = parsed.ends[i];
    if (request.trailers === undefined || end === undefined || request.head.problem !== undefined) break;
    expectAgreement(text.slice(start), request, end - start);
    if (expectRewritten(random, request)) accepted += 1;
    start = end;
    if (!request.head.isKept) break;
  }
  return { accepted };
}

function toldOf({ head, body, trailers }: ParsedRequest): unknown[] {
  return [
    head.method,
    head.target,
    head.fields.filter((_, i) => !isFramingAt(head.fields, i)),
    body,
    trailers,
  ];
}

function isFramingAt(fields: readonly string[], i: number): boolean {
  return /^(?:content-length|transfer-encoding)$/i.test(fields[i - (i % 2)] ?? '');
}

function expectedOf({ method, target, fields, body, trailers }: MadeRequest): unknown[] {
  const joined: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name = '', value = ''] = fields.slice(i);
    const earlier = name === 'cookie' ? joined.findIndex((other, at) => at % 2 === 0 && other === name) : -1;
    if (earlier === -1) joined.push(name, value);
    else joined[earlier + 1] = `${joined[earlier + 1] ?? ''}; ${value}`;
  }
  return [method, target, joined, body, trailers];
}

/**
 * Where the last request is refused, octets of its body that came before the fault may have been given or not; and which of several
 * faults is seen first depends on how it comes.
 */
function expectSame(whole: Parsed, cut: Parsed): void {
  const told = ({ requests, error, isWithin, ends }: Parsed): unknown => ({
    requests: requests.map((request) => [
      headOf(request.head),
      request.trailers,
      error !== undefined && request.trailers === undefined ? '' : request.body,
    ]),
    ...{ isRefused: error !== undefined, isWithin: error === undefined && isWithin, ends },
  });
  expect(told(cut)).to.deep.equal(told(whole));
}

function headOf(head: RequestHead): unknown[] {
  const { method, target, version, fields, host, contentLength, isChunked, hasBody, isKept } = head;
  const { awaitsContinue, upgrade, problem, accept } = head;
  return [
    ...[method, target, version, fields, host, contentLength, isChunked, hasBody, isKept],
    ...[awaitsContinue, upgrade, problem, accept],
  ];
}

/** A strict reader that takes the same octets for a request takes them for the same one. */
function expectAgreement(text: string, { head, body }: ParsedRequest, length: number): void {
  let strict: ReturnType<typeof readStrictly>;
  try {
    strict = readStrictly(text);
  } catch {
    return;
  }
  expect(strict?.request.line).to.equal(`${head.method} ${head.target} HTTP/${head.version}`);
  expect(strict?.length).to.equal(length);
  expect(strict?.request.body).to.equal(body);
}

/** Notes what is written. */
class FakeSocket {
  text = '';
  readonly writableLength = 0;
  readonly writableNeedDrain = false;
  cork(): void {
    // Nothing is held back.
  }
  uncork(): void {
    // Nothing was.
  }
  write(part: Buffer | string): boolean {
    this.text += typeof part === 'string' ? part : part.toString('latin1');
    return true;
  }
}

/** @returns false where it is refused for its host or target. */
function expectRewritten(random: SeededRandom, { head, body, trailers }: ParsedRequest): boolean {
  const { method, target, version, fields, host } = head;
  const request = { url: target, method, httpVersion: version, host, headers: fields };
  const destination = destinationOf(request);
  if (destination === undefined) return false;
  const path = destination.target.pathAndQuery;
  const headers = passableFields(fields, false);
  const source = head.hasBody ? bodyOf(random, body, trailers ?? []) : null;
  const message = {
    method,
    path,
    host: destination.host?.text,
    headers,
    body: source,
    upgrade: head.upgrade,
  };
  const upstreamHead = requestHead(message, 'fallback.test');
  const socket = new FakeSocket();
  if (source === null) socket.text = upstreamHead.text;
  else {
    const failures: string[] = [];
    new BodyWriter(
      { socket: socket as unknown as Socket, head: upstreamHead, body: source },
      {
        onSendBegin: () => undefined,
        onBodyBegin: () => undefined,
        onSendBlocked: () => undefined,
        onSendEnd: () => undefined,
        onSendFailure: (kind, message) => void failures.push(`${kind} ${message}`),
      },
    ).start();
    expect(failures).to.deep.equal([]);
  }
  expectWritten(socket.text, {
    line: `${method} ${path} HTTP/1.1`,
    fields: [['host', destination.host?.text ?? 'fallback.test'], ...pairsOf(headers)],
    body,
    trailers: upstreamHead.bodyBytes === undefined ? pairsOf(requestTrailers(trailers ?? [])) : [],
  });
  return true;
}

function expectWritten(text: string, expected: RecordedRequest): void {
  const strict = readStrictly(text);
  expect(strict?.length).to.equal(text.length);
  const fields = strict?.request.fields.filter(([name]) => name !== 'connection' && name !== 'upgrade');
  expect({ ...strict?.request, fields: unframed(fields ?? []) }).to.deep.equal({
    ...expected,
    fields: unframed(expected.fields),
  });
  // And it is the same to our own parser.
  const [again, ...others] = parseRequests([text], 2 * MAX_HEAD_BYTES).requests;
  expect(others).to.deep.equal([]);
  expect([`${again?.head.method ?? ''} ${again?.head.target ?? ''} HTTP/1.1`, again?.body]).to.deep.equal([
    expected.line,
    expected.body,
  ]);
  expect(pairsOf(again?.trailers ?? [])).to.deep.equal(expected.trailers);
}

const unframed = (fields: Fields): Fields =>
  fields.filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding');

function pairsOf(flat: readonly string[]): Fields {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1] ?? ''] as const] : []));
}

/** A body some of which is there, and some of which comes while it is taken. */
function bodyOf(random: SeededRandom, text: string, trailers: readonly string[]): RequestBody {
  const body = new RequestBody({ setReading: () => undefined, onBodyWanted: () => undefined });
  for (const piece of text === '' ? [] : pieces(random, text)) body.push(Buffer.from(piece, 'latin1'));
  body.finish(trailers);
  return body;
}
