/** Parts that the tests of reloads and stops share: a configuration file, backends, requests on one connection. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBackend, type Backend } from './backend.js';
import { Program, startProgram, type ProgramOptions } from './program.js';

/** The command. */
export const BIN = fileURLToPath(new URL('../../bin/peter-sslers-proxy', import.meta.url));

/** Writes flags as a configuration file. JSON is YAML too. */
export async function writeConfig(path: string, flags: Readonly<Record<string, unknown>>): Promise<void> {
  // At one go: the program may read it at any moment, and an empty one is a mistake.
  const draft = `${path}.draft`;
  await writeFile(draft, JSON.stringify(flags, undefined, 2));
  await rename(draft, path);
}

/** Starts the program on a configuration file, with nothing on the command line that the file might want to set. */
export function startWithConfig(path: string, options: ProgramOptions = {}): Promise<Program> {
  return startProgram(['--listen', '127.0.0.1:0', '--log-format', 'json', '--config', path], {
    ...options,
    bare: true,
  });
}

/** A backend that answers every request with one word. */
export function startWordBackend(word: string): Promise<Backend> {
  return startBackend((_request, response) => response.end(word));
}

/** A client with one connection, which it keeps. */
export class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request and waits for the head of its response. */
  async open(path = '/'): Promise<{ response: IncomingMessage; reused: boolean }> {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port: this.#port,
      path,
      agent: this.#agent,
      servername: 'kept.test',
      headers: { host: 'kept.test' },
    });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { response, reused: outgoing.reusedSocket };
  }

  async get(path = '/'): Promise<{ body: string; reused: boolean }> {
    const { response, reused } = await this.open(path);
    return { body: await textOf(response), reused };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The rest of a body. Rejects when it is cut off. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Starts the program as the leader of a process group of its own, as a shell does, and waits for nothing. */
export async function spawnGroup(flags: readonly string[]): Promise<Program> {
  const cwd = await mkdtemp(join(tmpdir(), 'peter-sslers-proxy-test-'));
  const own = ['--listen', '127.0.0.1:0', '--log-format', 'json'];
  const child = spawn(process.execPath, [BIN, 'start', ...own, ...flags], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Program(child, cwd, true);
}

/** Sends a signal to all processes of a program that was started as a group. */
export function killGroup(program: Program, signal: NodeJS.Signals): void {
  process.kill(-program.pid, signal);
}

/** Whether somebody accepts connections on a port. */
export async function isAccepting(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

/** Whether a process is there and has not ended; one that nobody has waited for yet counts as ended. */
export function isRunning(pid: number): boolean {
  try {
    // The state follows the name, which is in brackets and may hold brackets itself.
    return !/^ [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
}

/** Whether no process of a group is left. A group outlives its leader. */
export function groupIsEmpty(group: number): boolean {
  try {
    process.kill(-group, 0);
    return false;
  } catch {
    return true;
  }
}
