/**
 * Requests that are meant to be read in two ways. Whatever becomes of one, the backend gets well-formed requests only, and what is
 * sent behind it is the client's next request, or nothing.
 */
import { expect } from 'chai';
import { startFront, type Front } from './front.js';
import { RawClient } from './raw-client.js';
import { startRecordingBackend, type RecordedRequest, type RecordingBackend } from './recording-backend.js';

/** It must never be served where it was hidden in another one. */
export const POISON = 'GET /poison HTTP/1.1\r\nHost: a.test\r\n\r\n';
/** What a server that takes the zero chunk, or no body at all, for the end would see as the next request. */
export const HIDDEN = `0\r\n\r\n${POISON}`;
const GOOD = 'GET /good HTTP/1.1\r\nHost: a.test\r\n\r\n';

/** A request with some fields, and what follows its head. */
export const post = (fields: readonly string[], rest = ''): string =>
  ['POST /x HTTP/1.1', 'Host: a.test', ...fields, '', rest].join('\r\n');
export const get = (...fields: readonly string[]): string =>
  ['GET /x HTTP/1.1', ...fields, '', ''].join('\r\n');
export const chunked = (rest: string): string => post(['Transfer-Encoding: chunked'], rest);

/** Refused with a status, or served as one request: `last` where the connection ends with it. */
export type Fate =
  | number
  | {
      readonly body?: string;
      readonly line?: string;
      /** Fields that the backend gets. */
      readonly has?: readonly (readonly [name: string, value: string])[];
      /** Names of fields that it does not get. */
      readonly lacks?: readonly string[];
      readonly isLast?: boolean;
    };

export type Case = readonly [what: string, text: string, fate: Fate];

/** How a request is sent: what before it, and in pieces of how many octets. */
const WAYS: readonly (readonly [way: string, before: string, pieceBytes: number])[] = [
  ['alone', '', Infinity],
  ['behind a good one', GOOD, Infinity],
  ['octet by octet', '', 1],
];
/** So many pieces at most: there are requests of 100 KB. */
const MAX_PIECES = 500;

function sendInPieces(client: RawClient, text: string, pieceBytes: number): void {
  const size = Math.min(text.length, Math.max(pieceBytes, Math.ceil(text.length / MAX_PIECES)));
  for (let at = 0; at < text.length; at += size) client.send(text.slice(at, at + size));
}

/** Sends each, with another request behind it, in all ways. */
export function describeHostile(title: string, cases: readonly Case[]): void {
  describe(title, () => {
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

    for (const [what, text, fate] of cases)
      for (const [way, before, pieceBytes] of WAYS)
        it(`${what} is ${typeof fate === 'number' ? `refused with ${fate}` : 'served as one'} (${way})`, async () => {
          using client = await RawClient.connect(front.port, 'a.test');
          const asked = before === '' ? [] : ['/good'];
          sendInPieces(client, before + text + POISON, pieceBytes);
          if (typeof fate === 'number') {
            const received = await client.closed();
            expect(statuses(received)).to.deep.equal([...asked.map(() => 200), fate]);
            expect(paths(backend)).to.deep.equal(asked);
          } else {
            const expected = [...asked, '/x', ...(fate.isLast === true ? [] : ['/poison'])];
            await client.until(
              'all are answered',
              ({ received }) => statuses(received).length >= expected.length,
            );
            expect(statuses(client.received)).to.deep.equal(expected.map(() => 200));
            // The client's own next request: nothing is left of this one.
            expect(paths(backend)).to.deep.equal(expected);
            expectFate(backend.requests[asked.length], fate);
          }
          expect(backend.errors).to.deep.equal([]);
        });
  });
}

export function statuses(received: string): number[] {
  return Array.from(received.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

/** A target that is not `/x` itself stands for it. */
function paths({ requests }: RecordingBackend): string[] {
  return requests
    .map(({ line }) => line.split(' ')[1] ?? '')
    .map((path) => (/^\/(?:good|poison)$/.test(path) ? path : '/x'));
}

function expectFate(request: RecordedRequest | undefined, fate: Exclude<Fate, number>): void {
  const { body = '', line, has = [], lacks = [] } = fate;
  expect(request?.body).to.equal(body);
  if (line !== undefined) expect(request?.line).to.equal(line);
  for (const field of has) expect(request?.fields).to.deep.include(field);
  const names = request?.fields.map(([name]) => name) ?? [];
  for (const name of lacks) expect(names).not.to.include(name);
}
