/**
 * Reads requests by the letter of RFC 9112, and in one spelling only: more strictly than any server. PURE.
 */

export interface RecordedRequest {
  readonly line: string;
  /** As they came, lower-case names. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Without its framing. */
  readonly body: string;
  /** As the fields. */
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

const LINE = /^[\w!#$%&'*+.^`|~-]+ (?:\/[\x21-\x7e\x80-\xff]*|\*) HTTP\/1\.1$/;
const FIELD = /^([\w!#$%&'*+.^`|~-]+): ([\t\x20-\x7e\x80-\xff]*)$/;
const CHUNK_LINE = /([0-9a-f]+)\r\n/iy;

/**
 * Reads one request off the front of some bytes.
 *
 * @param bytes one character for each octet.
 * @returns undefined while it is not whole.
 * @throws Error: it is none.
 */
export function readStrictly(bytes: string): { request: RecordedRequest; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [line = '', ...rows] = bytes.slice(0, end).split('\r\n');
  if (!LINE.test(line)) throw new Error(`request line ${line}`);
  const fields = rows.map(fieldOf);
  const all = (name: string): string[] =>
    fields.filter(([other]) => other === name).map(([, value]) => value);
  const [lengths, codings] = [all('content-length'), all('transfer-encoding')];
  if (all('host').length !== 1) throw new Error(`${all('host').length} hosts`);
  if (lengths.length + codings.length > 1) throw new Error('more than one framing');
  const start = end + 4;
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new Error(`coding ${codings[0]}`);
    const read = readChunks(bytes, start);
    return read && { request: { line, fields, body: read.body, trailers: read.trailers }, length: read.end };
  }
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0] ?? '')) throw new Error(`length ${lengths[0]}`);
  const length = start + Number(lengths[0] ?? 0);
  if (bytes.length < length) return undefined;
  return { request: { line, fields, body: bytes.slice(start, length), trailers: [] }, length };
}

function fieldOf(row: string): readonly [name: string, value: string] {
  const [, name, value] = FIELD.exec(row) ?? [];
  if (name === undefined || value === undefined) throw new Error(`field ${JSON.stringify(row)}`);
  return [name.toLowerCase(), value];
}

function readChunks(
  bytes: string,
  start: number,
): (Pick<RecordedRequest, 'body' | 'trailers'> & { readonly end: number }) | undefined {
  for (let [at, body] = [start, '']; ;) {
    CHUNK_LINE.lastIndex = at;
    const [whole, digits] = CHUNK_LINE.exec(bytes) ?? [];
    if (whole === undefined || digits === undefined) {
      if (bytes.includes('\n', at)) throw new Error(`chunk ${JSON.stringify(bytes.slice(at, at + 100))}`);
      return undefined;
    }
    const size = parseInt(digits, 16);
    at += whole.length;
    if (size === 0) return readTrailers(bytes, at, body);
    const next = at + size + 2;
    if (bytes.length < next) return undefined;
    if (bytes.slice(next - 2, next) !== '\r\n') throw new Error('a chunk of another size');
    body += bytes.slice(at, next - 2);
    at = next;
  }
}

function readTrailers(bytes: string, start: number, body: string): ReturnType<typeof readChunks> {
  if (bytes.startsWith('\r\n', start)) return { body, trailers: [], end: start + 2 };
  const end = bytes.indexOf('\r\n\r\n', start);
  if (end === -1) return undefined;
  return { body, trailers: bytes.slice(start, end).split('\r\n').map(fieldOf), end: end + 4 };
}
