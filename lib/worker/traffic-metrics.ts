/**
 * Counts requests, connections of TCP mode, and failures of backends.
 */
import type { Counter, Histogram, Recorder } from '../metrics/recorder.js';
import type { ClientConnection } from '../proxy/downstream/client-connection.js';
import type { Http1Observer } from '../proxy/downstream/http1/server.js';
import type { Refusal } from '../proxy/downstream/http1/session.js';
import type { Answerer } from '../proxy/downstream/response-writer.js';
import type { RequestContext } from '../proxy/downstream/request-context.js';
import type { TcpEnd } from '../proxy/tunnel/tcp-record.js';
import type { BackendFailure } from '../proxy/upstream/upstream.js';

const MS_PER_S = 1000;
const SWITCHING_PROTOCOLS = 101;
/** By the first digit of the status; 0 without one. */
const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

type StatusClass = (typeof CLASSES)[number];

/** Where a request is counted, and for which it is. */
interface CountedCells {
  readonly protocol: string;
  readonly code: StatusClass;
  readonly by: Answerer;
  readonly requests: Counter;
  readonly seconds: Histogram;
}

export class TrafficMetrics {
  readonly onBackendFailure: (kind: BackendFailure) => void;
  readonly #requests;
  readonly #seconds;
  readonly #connections;
  /** The cells of the last request: mostly the next one is counted in the same. */
  #last: CountedCells | undefined;

  constructor(recorder: Recorder) {
    this.#requests = recorder.counter('peter_sslers_requests_total');
    this.#seconds = recorder.histogram('peter_sslers_request_seconds');
    this.#connections = recorder.counter('peter_sslers_tcp_connections_total');
    const failures = recorder.counter('peter_sslers_backend_failures_total');
    this.onBackendFailure = (kind) => failures.with({ kind }).inc();
  }

  onTcpEnd(end: TcpEnd): void {
    this.#connections.with({ end }).inc();
  }

  /** An observer that counts requests, and lets another one see them. */
  before(next: Http1Observer): Http1Observer {
    return {
      follow: (context) => {
        next.follow(context);
        context.client.onClose(() => this.#count(context));
      },
      noteRefusal: (connection, refusal) => {
        next.noteRefusal(connection, refusal);
        this.#countRefusal(connection, refusal);
      },
    };
  }

  #count({ client, httpVersion, startedAtMs, upgrade }: RequestContext): void {
    const { by, status } = client;
    const { requests, seconds } = this.#cells(httpVersion, classOf(status), by);
    requests.inc();
    // How long a WebSocket was open tells nothing of how fast anybody was.
    if (status === SWITCHING_PROTOCOLS || upgrade?.isRequired === true) return;
    seconds.observe((performance.now() - startedAtMs) / MS_PER_S);
  }

  #cells(protocol: string, code: StatusClass, by: Answerer): CountedCells {
    const last = this.#last;
    if (last?.protocol === protocol && last.code === code && last.by === by) return last;
    const requests = this.#requests.with({ protocol, code, by });
    return (this.#last = { protocol, code, by, requests, seconds: this.#seconds.with({ by }) });
  }

  #countRefusal(_: ClientConnection, { status }: Refusal): void {
    this.#requests.with({ protocol: '', code: classOf(status), by: 'proxy' }).inc();
  }
}

function classOf(status: number): StatusClass {
  return CLASSES[Math.floor(status / 100)] ?? 'none';
}
