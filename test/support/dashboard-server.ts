/**
 * A server that gives the dashboard a `Play` to show, by the same requests as the doors of the program.
 *
 *     await using server = await startDashboard('calm');
 *     await page.goto(server.url);
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dashboardPage } from '../../lib/primary/dashboard.js';
import { Play, type PlayState } from './dashboard-play.js';

export interface DashboardOptions {
  /** How much real time a second of the play takes. @default 1_000 */
  readonly stepMs?: number;
  /** Seconds that are sent at once when the page connects. @default 0 */
  readonly past?: number;
}

export class DashboardServer implements AsyncDisposable {
  play: Play;
  readonly url: string;
  /** What was asked for, `POST /expire/all` and the like. */
  readonly requests: string[] = [];
  /** The connection is refused, as by a proxy whose program is gone. */
  isDown = false;
  /** It has no streams, as a door that clients use. */
  hasEvents = true;
  /** Answered to the next questions in place of what they ask for. */
  failure: number | undefined;
  /** Told so far, to all pages together. */
  events = 0;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout;
  readonly #past: number;

  constructor(server: Server, state: PlayState, { stepMs = 1_000, past = 0 }: DashboardOptions) {
    this.#server = server;
    this.#past = past;
    this.play = new Play(state);
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('request', (request, response) => this.#answer(request, response));
    this.#timer = setInterval(() => this.step(), stepMs);
  }

  /** Pages that listen. */
  get streams(): number {
    return this.#streams.size;
  }

  /** A second passes, and is told. */
  step(): void {
    this.play.step();
    for (const stream of this.#streams) this.#tell(stream);
  }

  /** Breaks all streams off, and refuses new ones. */
  goDown(): void {
    this.isDown = true;
    for (const stream of this.#streams) stream.destroy();
  }

  #tell(stream: ServerResponse): void {
    this.events += 1;
    stream.write(`data: ${JSON.stringify(this.play.frame())}\n\n`);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, search } = new URL(request.url ?? '/', this.url);
    this.requests.push(`${request.method ?? ''} ${pathname}${search}`);
    const json = (body: unknown): unknown =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const rest = decodeURIComponent(pathname.split('/').at(-1) ?? '');
    if (this.isDown || (this.failure !== undefined && pathname !== '/')) {
      const status = this.isDown ? 502 : (this.failure ?? 500);
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end('{"result":"error","reason":"out of order"}');
    } else if (pathname === '/') {
      void dashboardPage().then(({ headers, body }) => response.writeHead(200, headers).end(body));
    } else if (pathname === '/events') {
      if (this.hasEvents) this.#open(response);
      else response.writeHead(204).end();
    } else if (pathname === '/snapshot') json(this.play.frame());
    else if (pathname === '/status') json(this.play.status());
    else if (pathname.startsWith('/why/')) json(this.play.why(rest));
    else if (pathname.startsWith('/expire/') && request.method === 'POST') {
      json({ expired: rest, ...(search.includes('workers=1') && { workers: 2, acknowledged: 2 }) });
    } else response.writeHead(404).end();
  }

  #open(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    this.#tell(response);
    for (let i = 0; i < this.#past; i += 1) {
      this.play.step();
      this.#tell(response);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export async function startDashboard(
  state: PlayState,
  options: DashboardOptions = {},
): Promise<DashboardServer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new DashboardServer(server, state, options);
}
