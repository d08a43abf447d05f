/**
 * What conformance to HTTP/2 is told with: requests by the frame, and what must come of them.
 */
import {
  block,
  CONTINUATION,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PING,
  PRIORITY,
  SETTINGS,
  u32,
  type Field,
} from './raw-h2.js';

export const NAME = 'a.test';
export const UNKNOWN_TYPE = 0xfa;
export const HAS_PRIORITY = 0x20;
export const MAX_WINDOW = 2 ** 31 - 1;
export const PROTOCOL = 1;
export const FLOW_CONTROL = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE = 6;
export const REFUSED = 7;
export const CANCEL = 8;
export const COMPRESSION = 9;

/** What must come of it: an error of the connection, one of a stream, a response, or nothing but that all goes on. */
export type Outcome =
  | { readonly connection: number }
  | { readonly stream: number; readonly code: number }
  | { readonly answered: number }
  | 'nothing';
export type Case = readonly [
  section: string,
  what: string,
  outcome: Outcome,
  first: Buffer[],
  then?: Buffer[],
];

export const connection = (code: number): Outcome => ({ connection: code });
export const stream = (code: number, id = 1): Outcome => ({ stream: id, code });
export const ANSWERED: Outcome = { answered: 1 };

export const fieldsOf = (method: string, path: string, ...more: Field[]): Field[] => [
  [':method', method],
  [':path', path],
  [':scheme', 'https'],
  [':authority', NAME],
  ...more,
];
export const bytes = (...octets: number[]): Buffer => Buffer.from(octets);
export const text = (string: string): Buffer => Buffer.concat([bytes(string.length), Buffer.from(string)]);
export const head = (id: number, fields: readonly Field[], flags = END_STREAM | END_HEADERS): Buffer =>
  frame(HEADERS, flags, id, block(fields));
export const get = (id = 1, ...more: Field[]): Buffer => head(id, fieldsOf('GET', '/', ...more));
/** The backend never answers it. */
export const held = (id = 1): Buffer => head(id, fieldsOf('GET', '/held'));
export const post = (id = 1, ...more: Field[]): Buffer =>
  head(id, fieldsOf('POST', '/', ...more), END_HEADERS);
export const data = (payload: string | Buffer, flags = END_STREAM, id = 1): Buffer =>
  frame(DATA, flags, id, Buffer.from(payload));
export const priority = (id: number, dependsOn = 0, weight = 15): Buffer =>
  frame(PRIORITY, 0, id, Buffer.concat([u32(dependsOn), bytes(weight)]));
export const settings = (...list: Buffer[]): Buffer => frame(SETTINGS, 0, 0, Buffer.concat(list));
export const ping = (flags = 0): Buffer => frame(PING, flags, 0, Buffer.from('h2 tests'));
/** A GET, with octets of HPACK around its fields. */
export const coded = (after: Buffer, before: Buffer = EMPTY): Buffer =>
  frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.concat([before, block(fieldsOf('GET', '/')), after]));
/** The fields of a GET but these. */
export const without = (...names: string[]): Field[] =>
  fieldsOf('GET', '/').filter(([name]) => !names.includes(name));
/** A GET whose block is cut at these octets: HEADERS, and CONTINUATION behind each cut. */
export const inFrames = (...cuts: number[]): Buffer[] => {
  const whole = block(fieldsOf('GET', '/'));
  return [...cuts, whole.length].map((end, i) => {
    const part = whole.subarray(cuts[i - 1] ?? 0, end);
    const flags = i === cuts.length ? END_HEADERS : 0;
    return i === 0 ? frame(HEADERS, END_STREAM | flags, 1, part) : frame(CONTINUATION, flags, 1, part);
  });
};
