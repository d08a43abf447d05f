/**
 * The driver's end in this process: orders load, hears what came of it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LoadOrder {
  readonly port: number;
  /** Taken in turn; or one pattern in which `#` is the number of the operation. */
  readonly names: readonly string[] | string;
  /** The number of the first operation. */
  readonly first: number;
  readonly operations: number;
  readonly concurrency: number;
  readonly path: string;
  /** What every answer must have. */
  readonly status: number;
  /** Offers the newest ticket of the same name. */
  readonly resume: boolean;
}

export interface LoadReport {
  /** Handshakes that resumed a session. */
  readonly reused: number;
  /** How often the information page named each tier; `none`: another page answered. */
  readonly tiers: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

const DRIVER = fileURLToPath(new URL('./driver.ts', import.meta.url));

export class Load implements Disposable {
  readonly #child: ChildProcess = fork(DRIVER, { execArgv: ['--import', 'tsx'] });

  async perform(order: LoadOrder): Promise<LoadReport> {
    this.#child.send(order);
    const [{ report, error }] = (await once(this.#child, 'message')) as [
      { readonly report?: LoadReport; readonly error?: string },
    ];
    if (report === undefined) throw new Error(error ?? 'the driver says nothing');
    return report;
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }
}
