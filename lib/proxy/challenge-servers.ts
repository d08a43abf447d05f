/**
 * The servers that challenges go to, asked in their order: the next one when one cannot be reached, breaks off, answers 404 or
 * is late. (The manager answers challenges on one port, its command line on another, during renewals.)
 *
 * An answer is small, and taken as a whole before any of it goes to the client: no client that reads slowly holds a thread of
 * the manager's, and one that goes away ends nothing that was sent, or the manager would have more under way than we count.
 */
import type { ChallengeSettings, LimitSettings } from '../config/settings.js';
import type { Names } from '../net/names/names.js';
import { Http1Upstream } from './upstream/http1/upstream.js';
import { responseHeaders } from './headers/headers.js';
import {
  UpstreamError,
  type Upstream,
  type UpstreamController,
  type UpstreamEvents,
  type UpstreamRequest,
} from './upstream/upstream.js';

/** For all servers together. Certificate authorities give up after ten seconds, and the lease may have taken three. */
const FORWARD_MS = 5_000;
/** What is asked for is a line. */
const MAX_ANSWER_BYTES = 65_536;
/** Of each worker to each server. The leases allow no more at once than this. */
const MAX_CONNECTIONS = 4;

export interface ChallengeAnswer {
  readonly status: number;
  readonly statusMessage: string | undefined;
  /** Flat, without those of the hop. */
  readonly headers: string[];
  readonly body: Buffer;
}

/** What came of asking the servers. One of `answer` and `failure` is there at least. */
export interface ChallengeOutcome {
  /** The first one that is no 404; else a 404. */
  readonly answer?: ChallengeAnswer;
  /** The last one. */
  readonly failure?: UpstreamError;
  /** One of the servers did not answer in time: it may have had the answer. */
  readonly isLate: boolean;
}

export type ChallengeHead = Pick<UpstreamRequest, 'method' | 'path' | 'host' | 'headers'>;

export interface ChallengeServersOptions {
  /** @default five seconds */
  readonly forwardMs?: number;
}

export class ChallengeServers {
  readonly #servers: readonly Upstream[];
  readonly #forwardMs: number;

  constructor(
    { servers, caPem }: ChallengeSettings,
    limits: LimitSettings,
    names: Names,
    { forwardMs = FORWARD_MS }: ChallengeServersOptions = {},
  ) {
    this.#forwardMs = forwardMs;
    const options = { maxConnections: MAX_CONNECTIONS, ...(caPem !== undefined && { caPem }) };
    // A connection that is not there by then is of use to nobody.
    const backendConnectTimeoutMs = Math.min(limits.backendConnectTimeoutMs, forwardMs);
    this.#servers = servers.map(
      (server) => new Http1Upstream(server, { ...limits, backendConnectTimeoutMs }, names, options),
    );
  }

  get isEmpty(): boolean {
    return this.#servers.length === 0;
  }

  /**
   * Asks one server after the other. Never rejects; settles within five seconds.
   *
   * @param gone aborted when the client has gone: what is not sent by then is not sent any more.
   */
  async ask(head: ChallengeHead, gone?: AbortSignal): Promise<ChallengeOutcome> {
    const endMs = performance.now() + this.#forwardMs;
    let notFound: ChallengeAnswer | undefined;
    let failure: UpstreamError | undefined;
    let isLate = false;
    for (const [index, server] of this.#servers.entries()) {
      // What one server leaves of its part is the next ones'.
      const limitMs = (endMs - performance.now()) / (this.#servers.length - index);
      const result = await new Asking(server, head, limitMs, gone).result;
      if (result instanceof UpstreamError) {
        failure = result;
        isLate ||= result.kind === 'timeout';
      } else if (result.status === 404) {
        notFound = result;
      } else {
        return { answer: result, isLate };
      }
    }
    return { ...(notFound && { answer: notFound }), ...(failure && { failure }), isLate };
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** One request to one server. */
class Asking implements UpstreamEvents {
  /** A failure is a result. Never rejects. */
  readonly result: Promise<ChallengeAnswer | UpstreamError>;
  readonly #server: Upstream;
  readonly #head: ChallengeHead;
  readonly #timer: NodeJS.Timeout;
  readonly #gone: AbortSignal | undefined;
  #settle: (result: ChallengeAnswer | UpstreamError) => void = () => undefined;
  #controller: UpstreamController | undefined;
  #isOver = false;
  #isSecond = false;
  #response: Omit<ChallengeAnswer, 'body'> | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(server: Upstream, head: ChallengeHead, limitMs: number, gone: AbortSignal | undefined) {
    this.#server = server;
    this.#head = head;
    this.#gone = gone;
    this.result = new Promise((resolve) => (this.#settle = resolve));
    this.#timer = setTimeout(() => {
      this.#giveUp(new UpstreamError('timeout', true, `no whole answer within ${Math.round(limitMs)} ms`));
    }, limitMs);
    gone?.addEventListener('abort', this.#onGone);
    if (gone?.aborted === true) this.#onGone();
    else this.#dispatch();
  }

  onStart(controller: UpstreamController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new UpstreamError('aborted', true, 'it is too late'));
  }

  onInformation(): void {
    // It is no answer.
  }

  onHead(status: number, statusMessage: string | undefined, headers: readonly string[]): void {
    this.#response = { status, statusMessage, headers: responseHeaders(headers, status) };
  }

  onData(chunk: Buffer, isShared: boolean): void {
    if (this.#isOver) return;
    this.#bytes += chunk.length;
    this.#pieces.push(isShared ? Buffer.from(chunk) : chunk);
    if (this.#bytes <= MAX_ANSWER_BYTES) return;
    this.#giveUp(new UpstreamError('malformed', true, `the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
  }

  onEnd(): void {
    if (this.#response !== undefined)
      this.#finish({ ...this.#response, body: Buffer.concat(this.#pieces, this.#bytes) });
  }

  onError(error: UpstreamError): void {
    if (this.#isOver) return;
    // A kept connection may be closed by the server just as it is used.
    if (error.kind !== 'broken' || this.#isSecond || this.#gone?.aborted === true) {
      this.#finish(error);
      return;
    }
    this.#isSecond = true;
    this.#controller = undefined;
    this.#response = undefined;
    this.#pieces = [];
    this.#bytes = 0;
    this.#dispatch();
  }

  readonly #onGone = (): void => {
    // On a connection it counts as sent.
    if (this.#controller !== undefined) return;
    this.#finish(new UpstreamError('aborted', false, 'the client has gone'));
  };

  #dispatch(): void {
    const request: UpstreamRequest = {
      ...this.#head,
      body: null,
      needsNewConnection: this.#isSecond,
      isGivenUp: () => this.#isOver,
    };
    this.#server.dispatch(request, this);
  }

  #giveUp(error: UpstreamError): void {
    this.#finish(error);
    this.#controller?.abort(error);
  }

  #finish(result: ChallengeAnswer | UpstreamError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#gone?.removeEventListener('abort', this.#onGone);
    this.#settle(result);
  }
}
