/**
 * The engine towards HTTP/1.1 backends without anything around it: a backend that is written by hand for each test, and what a
 * request has come to.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { LimitSettings } from '../../lib/config/settings.js';
import { Names } from '../../lib/net/names/names.js';
import { Http1Upstream, type Http1UpstreamOptions } from '../../lib/proxy/upstream/http1/upstream.js';
import type {
  UpstreamController,
  UpstreamError,
  UpstreamEvents,
  UpstreamRequest,
} from '../../lib/proxy/upstream/upstream.js';
import { serverAt } from './servers.js';

const LIMITS = {
  backendConnectTimeoutMs: 5_000,
  backendHeadersTimeoutMs: 5_000,
  backendBodyTimeoutMs: 5_000,
  backendRestartWaitMs: 0,
} as LimitSettings;

/** A backend as one writes it by hand. */
export interface Raw extends AsyncDisposable {
  readonly origin: string;
  /** In the order of their coming. */
  readonly sockets: Socket[];
  /** By connection: what was read from it, a piece for each read. */
  readonly read: string[][];
}

export async function startRaw(onData: (socket: Socket, text: string, index: number) => void): Promise<Raw> {
  const sockets: Socket[] = [];
  const read: string[][] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const index = sockets.push(socket) - 1;
    const pieces: string[] = [];
    read.push(pieces);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece.toString('latin1'));
      onData(socket, pieces.at(-1) ?? '', index);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    read,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What a request has come to. */
export class Recorder implements UpstreamEvents {
  status = 0;
  body = '';
  interim: number[] = [];
  error: UpstreamError | undefined;
  controller: UpstreamController | undefined;
  isAborted = false;
  onHeadCome: () => void = () => undefined;
  readonly over: Promise<this>;
  #resolve: (self: this) => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => (this.#resolve = resolve));
  }

  onStart(controller: UpstreamController): void {
    this.controller = controller;
    if (this.isAborted) controller.abort(new Error('the client has gone'));
  }

  onInformation(status: number): void {
    this.interim.push(status);
  }

  onHead(status: number): void {
    this.status = status;
    this.onHeadCome();
  }

  onData(chunk: Buffer): void {
    this.body += chunk.toString('latin1');
  }

  onEnd(): void {
    this.#resolve(this);
  }

  onError(error: UpstreamError): void {
    this.error = error;
    this.#resolve(this);
  }

  get outcome(): string {
    const { error, status, body } = this;
    return error === undefined ? `${status} ${body}` : `${error.kind}${error.sent ? ', sent' : ''}`;
  }
}

export function ask(upstream: Http1Upstream, parts: Partial<UpstreamRequest> = {}): Recorder {
  const recorder = new Recorder();
  upstream.dispatch(
    { method: 'GET', path: '/', host: 'a.test', headers: [], body: null, ...parts },
    recorder,
  );
  return recorder;
}

export function upstreamOf(
  origin: string,
  limits: Partial<LimitSettings> = {},
  { names = new Names(), ...options }: Http1UpstreamOptions & { readonly names?: Names } = {},
): Http1Upstream {
  return new Http1Upstream(serverAt(origin), { ...LIMITS, ...limits }, names, options);
}
