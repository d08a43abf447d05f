/** What the dashboard is sent once a second. */
import type { AskedBackends } from '../domain/backend-status.js';
import type { Snapshot } from '../domain/status-report.js';
import { metricValues } from '../metrics/values.js';
import { BackendWatch } from './backend-watch.js';
import type { OperationHost } from './operation-host.js';
import { statusOf } from './status.js';

/** A worker that has told nothing of its backends by then is said to be missing. */
const BACKENDS_DEADLINE_MS = 500;

export class Snapshots {
  readonly #host: OperationHost;
  readonly #backends: BackendWatch;

  constructor(host: OperationHost) {
    this.#host = host;
    this.#backends = new BackendWatch({ ask: () => askBackends(host), now: () => performance.now() });
  }

  make(): Snapshot {
    const { store } = this.#host.metrics;
    const backends = this.#backends.look();
    return {
      status: { ...statusOf(this.#host, store), ...(backends && { backends }) },
      series: metricValues(store),
    };
  }
}

/** Asks every worker for its backends. */
export async function askBackends({
  supervisor,
}: Pick<OperationHost, 'supervisor'>): Promise<readonly AskedBackends[]> {
  return (await supervisor?.askAll('backends', {}, BACKENDS_DEADLINE_MS)) ?? [];
}
