/**
 * One request over HTTP/1.1 or HTTP/2, and what the client saw of its response: for tests whose answer is the same in both.
 *
 *     await using client = await AnyClient.connect('h2', program.port, 'a.localhost');
 *     const course = client.send('/');
 *     await course.until('the head is there', ({ status }) => status === 200);
 *     const { body, isWhole } = await course.over();
 */
import { once } from 'node:events';
import { connect as connectH2, type ClientHttp2Session } from 'node:http2';
import { Agent, request } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { connectTls } from './client.js';
import { eventually } from './eventually.js';

export type Protocol = 'HTTP/1.1' | 'HTTP/2';
export const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

export interface SendOptions {
  readonly method?: string;
  /** `false`: the request's body is never ended; absent: it has none. */
  readonly body?: string | false;
  /** The response is not read. */
  readonly isMute?: boolean;
}

/** A request under way. */
export class Course {
  /** 0: none came. */
  status = 0;
  body = '';
  /** The response came to an end that says that it is one. */
  isWhole = false;
  isOver = false;

  async until(what: string, isTrue: (course: this) => boolean): Promise<void> {
    await eventually(what, () => isTrue(this));
  }

  async over(): Promise<this> {
    await this.until('the request is over', ({ isOver }) => isOver);
    return this;
  }

  /** `502`, `200 whole`, `200 cut`, `none`: the status alone where it is an error's, with its page. */
  get outcome(): string {
    if (this.status === 0) return 'none';
    if (this.status >= 400 && this.isWhole) return String(this.status);
    return `${this.status} ${this.isWhole ? 'whole' : 'cut'}`;
  }
}

/** One connection. */
export abstract class AnyClient implements AsyncDisposable {
  static async connect(protocol: Protocol, port: number, name: string): Promise<AnyClient> {
    return protocol === 'HTTP/2' ? Http2Client.open(port, name) : Http1Client.open(port, name);
  }

  abstract send(path: string, options?: SendOptions): Course;
  /** Goes away with RST or FIN, whatever comes first. */
  abstract [Symbol.asyncDispose](): Promise<void>;
}

class Http1Client extends AnyClient {
  readonly #agent: Agent;
  readonly #port: number;
  readonly #name: string;

  private constructor(agent: Agent, port: number, name: string) {
    super();
    this.#agent = agent;
    this.#port = port;
    this.#name = name;
  }

  static async open(port: number, name: string): Promise<Http1Client> {
    const socket = await connectTls({ port, servername: name, ALPNProtocols: ['http/1.1'] });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isUsed = false;
    agent.createConnection = (_options, callback): Duplex => {
      if (isUsed) callback?.(new Error('the connection was closed'), socket);
      isUsed = true;
      return socket;
    };
    return new Http1Client(agent, port, name);
  }

  send(path: string, { method = 'GET', body, isMute = false }: SendOptions = {}): Course {
    const course = new Course();
    const outgoing = request({
      host: '127.0.0.1',
      port: this.#port,
      path,
      method,
      agent: this.#agent,
      headers: { host: this.#name, ...(body === false && { 'content-length': '1000' }) },
    });
    outgoing.on('error', () => (course.isOver = true));
    outgoing.on('response', (response) => {
      course.status = response.statusCode ?? 0;
      if (!isMute) collect(response, course);
      response.on('close', () => {
        course.isWhole = response.complete;
        course.isOver = true;
      });
    });
    if (body === false) outgoing.write('half');
    else outgoing.end(body);
    return course;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }
}

class Http2Client extends AnyClient {
  readonly #session: ClientHttp2Session;
  readonly #name: string;

  private constructor(session: ClientHttp2Session, name: string) {
    super();
    this.#session = session;
    this.#name = name;
  }

  static async open(port: number, name: string): Promise<Http2Client> {
    const session = connectH2(`https://127.0.0.1:${port}`, { servername: name, rejectUnauthorized: false });
    session.on('error', () => undefined);
    await once(session, 'connect');
    return new Http2Client(session, name);
  }

  send(path: string, { method = 'GET', body, isMute = false }: SendOptions = {}): Course {
    const course = new Course();
    const stream = this.#session.request(
      { ':path': path, ':method': method, ':authority': this.#name },
      { endStream: body === undefined },
    );
    stream.on('error', () => undefined);
    stream.on('response', (fields) => (course.status = Number(fields[':status'])));
    stream.on('end', () => (course.isWhole = stream.rstCode === 0));
    stream.on('close', () => {
      if (stream.rstCode !== 0) course.isWhole = false;
      course.isOver = true;
    });
    if (!isMute) collect(stream, course);
    if (body === false) stream.write('half');
    else if (body !== undefined) stream.end(body);
    return course;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#session.closed || !this.#session.destroyed) {
      const closed = once(this.#session, 'close');
      this.#session.destroy();
      await closed;
    }
  }
}

function collect(stream: Readable, course: Course): void {
  stream.setEncoding('latin1').on('data', (text: string) => (course.body += text));
  stream.on('error', () => undefined);
}
