/**
 * The driver's end in this process: orders load, hears what came of it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReports } from './orders.js';

const DRIVER = fileURLToPath(new URL('./driver.ts', import.meta.url));

export class Load implements Disposable {
  readonly #child: ChildProcess = fork(DRIVER, { execArgv: ['--import', 'tsx'] });

  /** @throws Error when anything was not answered as the order says. */
  async perform<Order extends LoadOrder>(order: Order): Promise<LoadReports[Order['kind']]> {
    this.#child.send(order);
    const [{ report, error }] = (await once(this.#child, 'message')) as [
      { readonly report?: LoadReports[Order['kind']]; readonly error?: string },
    ];
    if (report === undefined) throw new Error(error ?? 'the driver says nothing');
    return report;
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }
}
