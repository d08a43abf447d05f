/**
 * A backend in a process of its own, which can be killed in the middle of its answers and started again on the same port.
 *
 *     await using backend = await startKillableBackend();
 *     // … requests are under way
 *     await backend.kill();
 *     await backend.start();
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A killed process has told of what it has seen before that: it writes at once. Answers take their time. */
const SCRIPT = `
const { writeSync } = require('node:fs');
const server = require('node:http').createServer((request, response) => {
  writeSync(1, request.method + ' ' + request.url + '\\n');
  setTimeout(() => response.end('answer'), 50);
});
server.listen(Number(process.argv[1]), '127.0.0.1', () => writeSync(1, 'port ' + server.address().port + '\\n'));
`;

export class KillableBackend implements AsyncDisposable {
  /** Of each request that has come, whatever became of it: `GET /path`. */
  readonly seen: string[] = [];
  /** 0 before the first start. */
  #port = 0;
  #isReady = false;
  #child: ChildProcess | undefined;
  #pending = '';
  readonly #watchers = new Set<() => void>();

  /** What `--backend` takes. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, on the port that it had before, and waits until it accepts connections. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['-e', SCRIPT, String(this.#port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#isReady = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#onText(text));
    await this.#until(() => this.#isReady);
  }

  /** Kills it. What is under way gets no answer. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, 'close');
    child.kill('SIGKILL');
    await exited;
  }

  /** Waits until it has seen so many requests more than now. */
  async moreRequests(count: number): Promise<void> {
    const { length } = this.seen;
    await this.#until(() => this.seen.length >= length + count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #onText(text: string): void {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('port ')) {
        this.#port = Number(line.slice(5));
        this.#isReady = true;
      } else this.seen.push(line);
    }
    for (const watcher of [...this.#watchers]) watcher();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }
}

export async function startKillableBackend(): Promise<KillableBackend> {
  const backend = new KillableBackend();
  await backend.start();
  return backend;
}
