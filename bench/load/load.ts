/**
 * The driver's end in this process: orders load, hears what came of it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LoadError } from './load-error.js';
import type { Faults, LoadOrder, LoadReports } from './orders.js';

const DRIVER = fileURLToPath(new URL('./driver.ts', import.meta.url));
/** No order takes a quarter of it. */
const TIMEOUT_MS = 120_000;

export class Load implements Disposable {
  readonly #child: ChildProcess = fork(DRIVER, { execArgv: ['--import', 'tsx'] });

  /**
   * @throws LoadError when anything was not answered as the order says, or not by the right certificate.
   * @throws Error when it takes too long: what the driver says later would be taken for the next report.
   */
  async perform<Order extends LoadOrder>(order: Order): Promise<LoadReports[Order['kind']]> {
    const heard = once(this.#child, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    this.#child.send(order);
    const [{ report, error }] = (await heard.catch((cause: unknown) => {
      throw new Error(`${order.kind}: no report in ${TIMEOUT_MS / 1000} s`, { cause });
    })) as [{ readonly report?: LoadReports[Order['kind']]; readonly error?: string }];
    if (report === undefined) throw new LoadError(error ?? 'the driver says nothing');
    if (report !== null && 'failures' in report) checkFaults(report);
    return report;
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }
}

function checkFaults({ failures, firstFailure = '', wrongCertificates }: Faults): void {
  if (failures > 0) throw new LoadError(`${failures} operations failed, the first one with: ${firstFailure}`);
  if (wrongCertificates > 0) throw new LoadError(`${wrongCertificates} handshakes with a wrong certificate`);
}
