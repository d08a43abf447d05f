/**
 * A backend that notes every byte it gets and reads them by the letter of RFC 9112, more strictly than any server: what it
 * does not take for a request is an error, and what follows one is another one.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface RecordedRequest {
  readonly line: string;
  /** As they came, lower-case names. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Without its framing. */
  readonly body: string;
}

export interface RecordingBackend extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** What it could make no sense of. */
  readonly errors: readonly string[];
  clear(): void;
}

/** Reads one request off the front of some bytes; undefined while it is not whole. */
function readRequest(bytes: string): { request: RecordedRequest; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [line = '', ...rows] = bytes.slice(0, end).split('\r\n');
  if (!/^[A-Z]+ (?:\/[\x21-\x7e\x80-\xff]*|\*) HTTP\/1\.1$/.test(line))
    throw new Error(`request line ${line}`);
  const fields = rows.map((row) => {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): ([\t\x20-\x7e\x80-\xff]*)$/.exec(row) ?? [];
    if (name === undefined || value === undefined) throw new Error(`field ${JSON.stringify(row)}`);
    return [name.toLowerCase(), value] as const;
  });
  const all = (name: string): string[] =>
    fields.filter(([other]) => other === name).map(([, value]) => value);
  const [lengths, codings] = [all('content-length'), all('transfer-encoding')];
  if (all('host').length !== 1) throw new Error(`${all('host').length} hosts`);
  if (lengths.length + codings.length > 1) throw new Error('more than one framing');
  const start = end + 4;
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new Error(`coding ${codings[0]}`);
    let [at, body] = [start, ''];
    for (;;) {
      const [whole, digits] = /^([0-9a-f]+)\r\n/i.exec(bytes.slice(at)) ?? [];
      if (whole === undefined || digits === undefined) {
        if (bytes.slice(at).includes('\n')) throw new Error(`chunk ${JSON.stringify(bytes.slice(at))}`);
        return undefined;
      }
      const size = parseInt(digits, 16);
      const next = at + whole.length + size + 2;
      if (bytes.length < next) return undefined;
      if (bytes.slice(next - 2, next) !== '\r\n') throw new Error('a chunk of another size');
      body += bytes.slice(at + whole.length, next - 2);
      at = next;
      if (size === 0) return { request: { line, fields, body }, length: at };
    }
  }
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0] ?? '')) throw new Error(`length ${lengths[0]}`);
  const length = start + Number(lengths[0] ?? 0);
  return bytes.length < length
    ? undefined
    : { request: { line, fields, body: bytes.slice(start, length) }, length };
}

export async function startRecordingBackend(): Promise<RecordingBackend> {
  const requests: RecordedRequest[] = [];
  const errors: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      pending += text;
      try {
        for (let read = readRequest(pending); read !== undefined; read = readRequest(pending)) {
          pending = pending.slice(read.length);
          requests.push(read.request);
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        }
      } catch (error) {
        errors.push(String(error));
        socket.destroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    errors,
    clear() {
      requests.length = 0;
      errors.length = 0;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
