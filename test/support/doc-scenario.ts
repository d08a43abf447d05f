/**
 * Runs the commands of a section of the documentation, in their order and as they stand there, in a temporary directory: with
 * ports of its own in the place of those on the page, and with `/etc/` in that directory.
 *
 * A block that ends with a start of the program is left running, as in a terminal of its own, until the next start or the end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertFreshDist } from './fresh-dist.js';
import { makeTempDir } from './certificates.js';
import { difference, missingLines, type DocBlock } from './doc-page.js';
import { eventuallySees } from './eventually.js';
import { unusedPort } from './unused-port.js';

const BIN = fileURLToPath(new URL('../../bin/peter-sslers-proxy', import.meta.url));
const SERVER = /(?:^|\n|&& )[^\n]*(?:peter-sslers-proxy start|npm start)(?:[^\n]|\\\n)*\n*$/;
const PORT = /(:|--port |-p )(\d{2,5})(?=[\s/'",\]:]|$)/gm;
/** `npm ci` has been done; `npm start` is what package.json says (a test compares them). */
const NPM = '#!/bin/sh\ncase "$1" in ci) ;; start) exec peter-sslers-proxy start ;; *) exit 9 ;; esac\n';

export interface ScenarioOptions {
  /** What commands exit with where it is not 0, by their last line. */
  readonly exitCodes?: Readonly<Record<string, number>>;
  /** Makes what the section takes for given. */
  readonly prepare?: (scenario: Scenario) => Promise<void>;
}

export class Scenario implements AsyncDisposable {
  readonly dir: string;
  /** Whoever plays with it closes it here. */
  readonly closers: (() => Promise<void>)[] = [];
  /** The port in the place of one on the page. */
  readonly ports = new Map<string, string>();
  #server: Server | undefined;

  private constructor(dir: string, remove: () => Promise<void>) {
    this.dir = dir;
    this.closers.push(remove);
  }

  static async open(): Promise<Scenario> {
    assertFreshDist();
    const { dir, remove } = await makeTempDir();
    const scenario = new Scenario(dir, remove);
    await mkdir(join(dir, 'bin'));
    await scenario.#command('peter-sslers-proxy', `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
    await scenario.#command('npm', NPM);
    return scenario;
  }

  /** Runs all blocks. @throws at the first that does not do what the page says. */
  async run(blocks: readonly DocBlock[], { exitCodes = {}, prepare }: ScenarioOptions = {}): Promise<void> {
    await prepare?.(this);
    for (const block of blocks) {
      const text = await this.here(block.text);
      if (SERVER.test(block.text)) await this.#serve(block, text);
      else await this.#do(block, text, exitCodes);
    }
  }

  /** A file below the directory. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** A text of the page with ports and paths of this scenario. */
  async here(text: string): Promise<string> {
    for (const [, , port = ''] of text.matchAll(PORT))
      if (!this.ports.has(port)) this.ports.set(port, String(await unusedPort()));
    return text
      .replaceAll(PORT, (_whole, before: string, port: string) => `${before}${this.ports.get(port) ?? port}`)
      .replaceAll(/(?<![\w.~])\/etc\//g, `${this.dir}/etc/`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
    for (const close of this.closers.reverse()) await close();
  }

  async #command(name: string, text: string): Promise<void> {
    await writeFile(join(this.dir, 'bin', name), text);
    await chmod(join(this.dir, 'bin', name), 0o755);
  }

  async #serve(block: DocBlock, text: string): Promise<void> {
    await this.#server?.stop();
    const env = await this.#environment(block);
    const server = new Server(this.#spawn(text, env));
    this.#server = server;
    await server.ready();
    const { output } = block;
    if (output === undefined) return;
    const missing = (): string[] => missingLines(output, this.#asOnThePage(server.output));
    await eventuallySees(
      `all of it is there of ${output}\nOutput: ${server.output}`,
      missing,
      (lines) => lines.length === 0,
    );
  }

  async #do(block: DocBlock, text: string, exitCodes: Readonly<Record<string, number>>): Promise<void> {
    const child = this.#spawn(`set -e\n${text}`, {});
    const printed = gather(child);
    const [code] = (await once(child, 'close')) as [number | null];
    const output = this.#asOnThePage(printed());
    const wanted = exitCodes[block.text.trim().split('\n').at(-1) ?? ''] ?? 0;
    const problem =
      code !== wanted
        ? `exit code ${code}, not ${wanted}`
        : block.output === undefined
          ? undefined
          : difference(block.output, output);
    if (problem !== undefined) throw new Error(`${problem}\n${block.text}prints\n${output}`);
  }

  /** Only what the page does not set: these would go before a configuration file. */
  async #environment({ text, output }: DocBlock): Promise<Record<string, string>> {
    if (text.includes('--config')) return {};
    return {
      PETER_SSLERS_LISTEN: await this.here('127.0.0.1:8443'),
      // Whoever shows what is printed shows two.
      PETER_SSLERS_WORKERS: output === undefined ? '1' : '2',
      ...(text.includes('--redis-strategy') && {
        PETER_SSLERS_REDIS_URL: await this.here('redis://127.0.0.1:6379/9'),
      }),
    };
  }

  #spawn(text: string, env: Readonly<Record<string, string>>): ChildProcess {
    const path = [join(this.dir, 'bin'), process.env['PATH'] ?? '', '/usr/sbin'].join(delimiter);
    return spawn('sh', ['-c', text], {
      cwd: this.dir,
      env: { ...process.env, ...env, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that all of it can be ended.
      detached: true,
    });
  }

  #asOnThePage(text: string): string {
    let page = text.replaceAll(this.dir, '');
    for (const [documented, own] of this.ports) page = page.replaceAll(`:${own}`, `:${documented}`);
    return page;
  }
}

/** A program that was started and goes on. */
class Server {
  readonly #child: ChildProcess;
  readonly #printed: () => string;
  readonly #exited: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#printed = gather(child);
    this.#exited = once(child, 'close');
  }

  get output(): string {
    return this.#printed();
  }

  async ready(): Promise<void> {
    const state = await eventuallySees(
      'it is ready',
      () => ({ text: this.output, isGone: this.#isGone }),
      ({ text, isGone }) => isGone || /^ready /m.test(text),
    );
    if (state.isGone) throw new Error(`the program has ended: ${this.output}`);
  }

  async stop(): Promise<void> {
    if (this.#isGone) return;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(timer);
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // It has just ended.
    }
  }
}

function gather(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return () => text;
}
