/**
 * A real redis-server for tests: a free port and a unix socket, no persistence, its files in a temporary directory.
 *
 *     const redis = await startRedisServer();
 *     await redis.load(redisFixture('style1'));
 *     …
 *     await redis.stop();
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { unusedPort } from './unused-port.js';

/** A recording of a Redis: its keys with types and values. */
export type RedisFixture = Readonly<
  Record<
    string,
    | { readonly type: 'string'; readonly value: string; readonly ttl: number }
    | { readonly type: 'hash'; readonly value: Readonly<Record<string, string>>; readonly ttl: number }
  >
>;

export interface RedisServerOptions {
  /** What clients have to authenticate with. */
  readonly password?: string;
  /** More of redis-server's options, for example `['--databases', '4']`. */
  readonly args?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  readonly socketPath: string;
  /** `redis://127.0.0.1:PORT`, with no database named and without the password. */
  readonly url: string;
  /** A client for the test's own questions; ended by `stop`. @param database defaults to 9 */
  client(database?: number): Redis;
  /** Writes a recording. @param database defaults to 9 */
  load(fixture: RedisFixture, database?: number): Promise<void>;
  /** Every command that the server is given from now on, as `hmget d1:…`. */
  monitor(): Promise<{ readonly commands: string[]; stop(): void }>;
  /** Stops the server, keeping port and directory for `restart`. What it held is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and socket, empty. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT: it accepts connections (the kernel does) and answers nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const DEFAULT_DATABASE = 9;
const START_ATTEMPTS = 5;

/** The recording `test/fixtures/manager/redis/NAME.json`. */
export function redisFixture(name: string): RedisFixture {
  const url = new URL(`../fixtures/manager/redis/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as RedisFixture;
}

/** Starts one; resolves once it accepts connections. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'redis-server-'));
  const socketPath = join(dir, 'redis.sock');
  const clients = new Set<Redis>();
  let child: ChildProcess | undefined;
  let port = 0;

  const launch = async (): Promise<void> => {
    child = await spawnServer([
      ...['--port', String(port), '--bind', '127.0.0.1', '--unixsocket', socketPath, '--dir', dir],
      ...['--save', '', '--appendonly', 'no', '--daemonize', 'no', '--loglevel', 'notice'],
      ...(options.password === undefined ? [] : ['--requirepass', options.password]),
      ...(options.args ?? []),
    ]);
  };
  const end = async (): Promise<void> => {
    for (const client of clients) client.disconnect();
    clients.clear();
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  };

  try {
    // Somebody else may take the port between asking for a free one and using it.
    for (let attempt = 1; child === undefined; attempt++) {
      port = await unusedPort();
      await launch().catch((error: unknown) => {
        if (attempt === START_ATTEMPTS || !String(error).includes('Address already in use')) throw error;
      });
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }

  const server: RedisServer = {
    port,
    socketPath,
    url: `redis://127.0.0.1:${port}`,
    client(database = DEFAULT_DATABASE) {
      const { password } = options;
      const client = new Redis({
        ...{ port, host: '127.0.0.1', db: database, disableClientInfo: true, enableReadyCheck: false },
        ...(password === undefined ? {} : { password }),
        retryStrategy: () => null,
      });
      client.on('error', () => undefined); // the command that fails says it
      clients.add(client);
      return client;
    },
    async load(fixture, database) {
      const client = server.client(database);
      const pipeline = client.pipeline();
      for (const [key, entry] of Object.entries(fixture)) {
        if (entry.type === 'hash') pipeline.hset(key, entry.value);
        else pipeline.set(key, entry.value);
        if (entry.ttl > 0) pipeline.expire(key, entry.ttl);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
      client.disconnect();
      clients.delete(client);
    },
    async monitor() {
      const own = server.client();
      await own.ping(); // or its own handshake might be among the commands
      const monitor = await own.monitor();
      monitor.on('error', () => undefined);
      clients.add(monitor);
      const commands: string[] = [];
      monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
      return {
        commands,
        stop: () => {
          monitor.disconnect();
          own.disconnect();
        },
      };
    },
    kill: end,
    restart: launch,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      await end();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return server;
}

/** Starts the process; resolves once it says that it is ready. */
async function spawnServer(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // A test that is interrupted must not leave it behind.
  const killChild = (): void => void child.kill('SIGKILL');
  process.once('exit', killChild);
  child.once('exit', () => process.removeListener('exit', killChild));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = "redis-server is not installed: install Debian's package redis-server";
      reject(error.code === 'ENOENT' ? new Error(missing) : error);
    });
    child.once('exit', (code) => {
      reject(new Error(`redis-server ended with code ${code} at its start:\n${output}`));
    });
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      // The socket is opened last. Redis 7 says `ready to accept connections at PATH`, Redis 8 `… connections unix`.
      if (/ready to accept connections (at|unix)/i.test(output)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  return child;
}
