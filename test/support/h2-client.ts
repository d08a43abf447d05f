/**
 * An HTTP/2 client of the program: one connection, requests with their trailers.
 */
import { once } from 'node:events';
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';

export interface H2Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
  /** Informational responses before the head. */
  readonly hints: readonly IncomingHttpHeaders[];
  /** Whether the end of the response was the end of the stream, or the stream was cut. */
  readonly isWhole: boolean;
}

export class H2Client implements Disposable {
  readonly session: ClientHttp2Session;
  readonly #name: string;

  private constructor(session: ClientHttp2Session, name: string) {
    this.session = session;
    this.#name = name;
  }

  /** @param name the server name of the handshake, and the authority unless a request has another */
  static async connect(port: number, name: string): Promise<H2Client> {
    const session = connect(`https://127.0.0.1:${port}`, { servername: name, rejectUnauthorized: false });
    session.on('error', () => undefined);
    await once(session, 'connect');
    return new H2Client(session, name);
  }

  /** Opens a stream. It ends with the head unless `isOpen`. */
  open(
    headers: OutgoingHttpHeaders = {},
    options: { readonly isOpen?: boolean; readonly trailers?: OutgoingHttpHeaders } = {},
  ): ClientHttp2Stream {
    const { isOpen = false, trailers } = options;
    const stream = this.session.request(
      { ':path': '/', ':authority': this.#name, ...headers },
      { endStream: !isOpen, waitForTrailers: trailers !== undefined },
    );
    stream.on('error', () => undefined);
    if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    return stream;
  }

  /** Makes a request and takes the whole response. */
  async request(
    headers: OutgoingHttpHeaders = {},
    body?: string | Buffer,
    trailers?: OutgoingHttpHeaders,
  ): Promise<H2Response> {
    const stream = this.open(headers, {
      isOpen: body !== undefined,
      ...(trailers !== undefined && { trailers }),
    });
    if (body !== undefined) stream.end(body);
    return responseOf(stream);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** The response of a stream, once that is closed. */
export async function responseOf(stream: ClientHttp2Stream): Promise<H2Response> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  let isWhole = false;
  const hints: IncomingHttpHeaders[] = [];
  const chunks: Buffer[] = [];
  stream.on('headers', (fields: IncomingHttpHeaders) => hints.push(fields));
  stream.on('response', (fields) => (headers = fields));
  stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => (isWhole = stream.rstCode === 0));
  if (!stream.closed || !stream.destroyed) await new Promise((resolve) => stream.once('close', resolve));
  return {
    status: Number(headers[':status'] ?? 0),
    headers,
    body: Buffer.concat(chunks).toString(),
    trailers,
    hints,
    isWhole,
  };
}
