/**
 * A peter_sslers manager for tests, of any generation (`manager-generations.ts`): an HTTP(S) server on a free port of
 * 127.0.0.1 that answers as the fixtures of that one say, and can be told to misbehave.
 *
 * - `GET {prefix}/domain/NAME/config.json`: the answer of the fixtures for that name (prime style 1); a name set with
 *   `setCertificate`; 404 for any other. All-digit names are read as database ids, as the real one does.
 * - `POST {prefix}/api/domain/autocert.json`: what `onAutocert` says; a name that has a certificate gets it ("existing");
 *   any other name gets the recorded refusal.
 * - Anything else: the 404 that quotes the path, as under a wrong prefix.
 *
 * `answer` overrides single names or paths. `requests` holds everything that arrived.
 */
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import {
  certificateJson,
  MANAGER_SHAPES,
  managerRecordings,
  olderAnswers,
  refusal,
  type FakePair,
  type ManagerVersion,
} from './manager-generations.js';

/** Recordings from here on were made under prime style 2, or with Redis down. */
const FIRST_STYLE_2 = 114;

/** A request that arrived. */
export interface ManagerRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An answer, or a way of not giving one. Status 200 and `application/json` unless told. */
export interface Script {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Waits for this before answering. */
  readonly until?: Promise<unknown>;
  /** Accepts the request and never answers. */
  readonly hang?: boolean;
  /** Closes the connection without a byte of an answer. */
  readonly closeWithoutAnswer?: boolean;
  /** Sends this many bytes of the body, and closes. The headers promise all of it. */
  readonly truncateAt?: number;
  /** Sends a body of this many bytes of white space, as fast as it is taken. */
  readonly hugeBytes?: number;
  /** Sends the body a byte at a time. */
  readonly dripEveryMs?: number;
  /** 302 to here. */
  readonly redirect?: string;
  /** The script holds for this many requests, then the ordinary answer is back. Default: for ever. */
  readonly times?: number;
}

export interface FakePlace {
  /** @default 'single' */
  readonly slot?: 'single' | 'multi';
}

export interface FakeManagerOptions {
  /** Where an earlier one listened, to take its place. @default a free one */
  readonly port?: number;
  /** Which manager it is. @default '1.0' */
  readonly version?: ManagerVersion;
  /** Serves HTTPS with this pair. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** `user:password`: without it, 401. */
  readonly credentials?: string;
}

type AutocertHandler = (name: string) => Script | Promise<Script>;
type Slots = Record<string, unknown>;

export interface FakeManager {
  /** With its prefix: what `--fallback-server` takes. */
  readonly root: string;
  readonly port: number;
  readonly requests: ManagerRequest[];
  /** Connections accepted since the start. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /** The requests of one method for one name. */
  requestsFor(method: 'GET' | 'POST', name: string): ManagerRequest[];
  /** Settles once this many requests (that the test holds for) have arrived. */
  received(count: number, test?: (request: ManagerRequest) => boolean): Promise<void>;
  /** Settles once this many requests were given up by the client before their answer was complete. */
  abandoned(count: number): Promise<void>;
  /** Settles once no connection is open. */
  disconnected(): Promise<void>;
  /** Overrides the answer for a name's query (`GET`) or order (`POST`), or for a whole path. */
  answer(method: 'GET' | 'POST', nameOrPath: string, script: Script): void;
  /** The name is known with this certificate; other slots of it stay. */
  setCertificate(name: string, pair: FakePair, place?: FakePlace): void;
  /** The name is known and has no certificate. */
  setBare(name: string): void;
  /** The name is not known. */
  remove(name: string): void;
  /** What an order for a name answers; `*` is for every name without its own. */
  onAutocert(name: string, handler: AutocertHandler): void;
  /** An order for the name succeeds with this certificate, after `until`. */
  issue(name: string, pair: FakePair, until?: Promise<unknown>): void;
  close(): Promise<void>;
}

/** Starts one. */
export async function startFakeManager(options: FakeManagerOptions = {}): Promise<FakeManager> {
  const version = options.version ?? '1.0';
  const { prefix, domainKey, keyOf, domainExtras, hasNotes } = MANAGER_SHAPES[version];
  const domains = knownDomains(version);
  /** What an order's answer says beside the certificates. */
  const success = (notes: string) => ({ result: 'success', ...(hasNotes && { notes }) });
  const overrides = new Map<string, { script: Script; left: number }>();
  const autocert = new Map<string, AutocertHandler>();
  const requests: ManagerRequest[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  const sockets = new Set<Socket>();
  let connections = 0;
  let abandoned = 0;

  const ordinary = async (request: ManagerRequest): Promise<Script> => {
    const expected = options.credentials && `Basic ${Buffer.from(options.credentials).toString('base64')}`;
    if (expected !== undefined && request.headers['authorization'] !== expected) {
      return { status: 401, headers: { 'Content-Type': 'text/html' }, body: '<h1>401 Unauthorized</h1>' };
    }
    const { path, queried, ordered } = subjectOf(request, prefix);
    if (queried !== undefined) {
      const domain = /^\d+$/.test(queried)
        ? [...domains.values()].find(
            (slots) => (slots[domainKey] as { id: string }).id === String(Number(queried)),
          )
        : domains.get(queried);
      return domain === undefined ? notFound('the domain was not found') : { body: domain };
    }
    if (ordered !== undefined) {
      const handler = autocert.get(ordered) ?? autocert.get('*');
      if (handler !== undefined) return await handler(ordered);
      const domain = domains.get(ordered);
      if (domain !== undefined && (domain[keyOf.single] ?? domain[keyOf.multi] ?? null) !== null) {
        return { body: { ...domain, ...success('existing certificate(s)') } };
      }
      return { body: refusal() };
    }
    return notFound(path);
  };

  const listener: RequestListener = (incoming, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const request: ManagerRequest = {
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
        at: Date.now(),
      };
      requests.push(request);
      arrivals.emit('request');
      response.on('close', () => {
        if (response.writableFinished) return;
        abandoned += 1;
        arrivals.emit('gone');
      });
      const { path, queried, ordered } = subjectOf(request, prefix);
      const override = [queried ?? ordered, path]
        .map((subject) => overrides.get(`${request.method} ${subject ?? ''}`))
        .find((found) => found !== undefined && found.left > 0);
      if (override !== undefined) override.left -= 1;
      await perform(override?.script ?? (await ordinary(request)), incoming, response);
    })().catch(() => response.destroy());
  };
  const server =
    options.tls === undefined ? createServer(listener) : createTlsServer({ ...options.tls }, listener);
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      arrivals.emit('gone');
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const domain = (name: string): Slots => {
    const existing = domains.get(name);
    if (existing !== undefined) return existing;
    const created: Slots = {
      [domainKey]: { id: String(1000 + domains.size), domain_name: name, ...domainExtras },
      [keyOf.single]: null,
      [keyOf.multi]: null,
    };
    domains.set(name, created);
    return created;
  };
  const waitFor = (event: string, holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        arrivals.off(event, look);
        resolve();
      };
      arrivals.on(event, look);
      look();
    });

  const manager: FakeManager = {
    root: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}${prefix}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    requestsFor: (method, name) =>
      requests.filter((request) => {
        const { queried, ordered } = subjectOf(request, prefix);
        return request.method === method && (queried ?? ordered) === name;
      }),
    received: (count, test = () => true) =>
      waitFor('request', () => requests.filter((request) => test(request)).length >= count),
    abandoned: (count) => waitFor('gone', () => abandoned >= count),
    disconnected: () => waitFor('gone', () => sockets.size === 0),
    answer: (method, nameOrPath, script) => {
      overrides.set(`${method} ${nameOrPath}`, { script, left: script.times ?? Infinity });
    },
    setCertificate: (name, pair, { slot = 'single' } = {}) => {
      domain(name)[keyOf[slot]] = certificateJson(pair);
    },
    setBare: (name) => {
      domains.delete(name);
      domain(name);
    },
    remove: (name) => {
      domains.delete(name);
    },
    onAutocert: (name, handler) => {
      autocert.set(name, handler);
    },
    issue: (name, pair, until) => {
      autocert.set(name, async () => {
        await until;
        manager.setCertificate(name, pair);
        return { body: { ...domain(name), ...success('new AcmeOrder, valid'), AcmeOrder: { id: 11 } } };
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return manager;
}

/** Every domain of the recordings, as the last style-1 answer about it says; of an older manager, those of its fixtures. */
function knownDomains(version: ManagerVersion): Map<string, Slots> {
  const { domainKey } = MANAGER_SHAPES[version];
  const answers =
    version === '1.0'
      ? managerRecordings().filter(({ number }) => number < FIRST_STYLE_2)
      : olderAnswers(version);
  const domains = new Map<string, Slots>();
  for (const { request, response } of answers) {
    const isQuery = request.method === 'GET' && /\/config\.json(\?openresty=1)?$/.test(request.path);
    if (!isQuery || response.status !== 200) continue;
    const slots = JSON.parse(response.body) as Slots;
    domains.set((slots[domainKey] as { domain_name: string }).domain_name, slots);
  }
  return domains;
}

/** What a request is about: the name of a query, or of an order. */
function subjectOf(request: ManagerRequest, prefix: string) {
  const { pathname } = new URL(request.url, 'http://manager');
  const path = decodeURIComponent(pathname);
  const queried = path.startsWith(`${prefix}/domain/`)
    ? /^([^/]+)\/config\.json$/.exec(path.slice(`${prefix}/domain/`.length))?.[1]?.toLowerCase()
    : undefined;
  const ordered =
    request.method === 'POST' && path === `${prefix}/api/domain/autocert.json`
      ? (new URLSearchParams(request.body).get('domain_name') ?? '').toLowerCase()
      : undefined;
  return { path, queried, ordered };
}

function notFound(detail: string): Script {
  return {
    status: 404,
    body: {
      message: `The resource could not be found.\n\n\n${detail}\n\n`,
      code: '404 Not Found',
      title: 'Not Found',
    },
  };
}

/** Gives the answer that a script describes. */
async function perform(script: Script, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  await script.until;
  if (script.hang === true) return;
  if (script.closeWithoutAnswer === true) {
    incoming.socket.destroy();
    return;
  }
  if (script.redirect !== undefined) {
    response.writeHead(302, { Location: script.redirect }).end();
    return;
  }
  const body = Buffer.from(typeof script.body === 'string' ? script.body : JSON.stringify(script.body ?? {}));
  const lengthBytes = script.hugeBytes ?? body.length;
  response.writeHead(script.status ?? 200, {
    'Content-Type': 'application/json',
    'Content-Length': lengthBytes,
    ...script.headers,
  });
  if (script.truncateAt !== undefined) {
    response.write(body.subarray(0, script.truncateAt), () => incoming.socket.destroy());
  } else if (script.hugeBytes !== undefined) {
    const chunk = Buffer.alloc(65_536, ' ');
    const isGone = new Promise((resolve) => response.once('close', resolve));
    for (let sent = 0; sent < script.hugeBytes && !response.destroyed; sent += chunk.length) {
      const isTaken = response.write(chunk.subarray(0, Math.min(chunk.length, script.hugeBytes - sent)));
      if (!isTaken) await Promise.race([new Promise((resolve) => response.once('drain', resolve)), isGone]);
    }
    response.end();
  } else if (script.dripEveryMs !== undefined) {
    for (const byte of body) {
      if (response.destroyed) return;
      response.write(Buffer.from([byte]));
      await pause(script.dripEveryMs);
    }
    response.end();
  } else {
    response.end(body);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
