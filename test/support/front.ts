/**
 * The data plane in this process: a TLS listener and what answers on it, without primary, look-ups and workers.
 *
 *     await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 100 } });
 *     using client = await RawClient.connect(front.port, 'a.test');
 *
 * Its certificate is for `a.test`, `b.test` and `*.test` unless told otherwise. Limits are the program's unless told otherwise.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { WorkerSettings } from '../../lib/config/worker-settings.js';
import type { BackendSettings, LimitSettings, RouteSettings } from '../../lib/config/settings.js';
import { TIER_DEFAULT, type Tier } from '../../lib/domain/lookup.js';
import type { Logger } from '../../lib/log/logger.js';
import { AddressList } from '../../lib/net/address-list.js';
import { ConnectionLimits } from '../../lib/net/connection-limits.js';
import { Names } from '../../lib/net/names/names.js';
import { bindSharedHandle, listenOnHandle } from '../../lib/net/shared-handle.js';
import { HandshakeIds } from '../../lib/tls/handshake-ids.js';
import { terminateTls } from '../../lib/tls/terminate.js';
import type { Transport } from '../../lib/net/raw-connection.js';
import { Frontend } from '../../lib/worker/frontend.js';
import { makeTestCa } from './certificates.js';
import { LIMITS, workerSettings } from './worker-settings.js';
import { serverAt } from './servers.js';

export interface FrontOptions {
  /** URLs of the default route's backends, as `Backend.url` has them. `h2+http://…` for HTTP/2. */
  readonly backends?: readonly string[];
  readonly limits?: Partial<LimitSettings>;
  readonly settings?: Partial<WorkerSettings>;
  readonly tier?: Tier;
  /** What looks up the names of backends. @default as the program does */
  readonly backendNames?: Names;
  /** By which clients' budgets fill again. @default performance.now */
  readonly now?: () => number;
  /** Of its certificate. */
  readonly names?: readonly string[];
}

export interface FrontLine {
  readonly level: string;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Front extends AsyncDisposable {
  readonly port: number;
  readonly frontend: Frontend;
  /** What it has logged. */
  readonly log: readonly FrontLine[];
  /** The ports of the clients whose connections have come through their handshake and are open. */
  readonly openPorts: readonly number[];
  /** As a reload does. */
  configure(options: FrontOptions): void;
}

/** `TEST_HTTP2_ENGINE=node` runs the same tests on the other engine. */
const engine = process.env['TEST_HTTP2_ENGINE'];
const ENGINE: Partial<WorkerSettings> = engine === 'own' || engine === 'node' ? { http2Engine: engine } : {};

const NAMES = ['a.test', 'b.test', '*.test'];
const issue = async (names: readonly string[]) => (await makeTestCa()).issue(names);
let pair: ReturnType<typeof issue> | undefined;

export async function startFront(options: FrontOptions = {}): Promise<Front> {
  const { names } = options;
  const { chainPem, keyPem } = await (names === undefined ? (pair ??= issue(NAMES)) : issue(names));
  const context = createSecureContext({ cert: chainPem, key: keyPem });
  const log: FrontLine[] = [];
  const note =
    (level: string) =>
    (msg: string, fields: object = {}): void =>
      void log.push({ level, msg, fields: { ...fields } });
  const logger: Logger = {
    ...{ err: note('err'), notice: note('notice'), info: note('info'), debug: note('debug') },
    enabled: () => true,
  };
  const never = (): Promise<never> => Promise.reject(new Error('not in this test'));
  const frontend = new Frontend(
    {
      actions: { status: never, expireAll: never, expireDomain: never, operate: never },
      challengeDesk: { lease: never, missed: () => undefined },
      log: logger,
      names: options.backendNames ?? new Names(),
      workerName: 'worker 1',
      ...(options.now && { now: options.now }),
    },
    settingsOf(options),
  );
  const ports = new WeakMap<Transport, number>();
  const server = createServer();
  const open = terminateTls(server, {
    index: 0,
    ids: new HandshakeIds(1),
    limits: new ConnectionLimits({
      limits: () => settingsOf(options).limits,
      now: () => performance.now(),
      onRefused: () => undefined,
    }),
    choose: () => ({ context, tier: options.tier ?? TIER_DEFAULT }),
    alpnFor: (name, offered) => frontend.alpnFor(name, offered),
    sendsProxyHeader: (peer) => new AddressList(settingsOf(options).acceptProxyProtocol).has(peer),
    choosesByAddress: () => false,
    rejectsUnknownNames: () => false,
    handshakeTimeoutMs: () => 5_000,
    needsNodeSocket: () => frontend.needsNodeSocket,
    onSecure: (socket, info, raw) => {
      ports.set(raw, info.client.port);
      frontend.accept(socket, info, raw);
    },
    onFailure: () => undefined,
  });
  const { native } = bindSharedHandle({ host: '127.0.0.1', port: 0 });
  const listening = once(server, 'listening');
  listenOnHandle(server, native);
  await listening;
  return {
    port: (server.address() as AddressInfo).port,
    frontend,
    log,
    get openPorts() {
      return [...open].flatMap((raw) => ports.get(raw) ?? []);
    },
    configure: (changed) => frontend.configure(settingsOf({ ...options, ...changed })),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      frontend.drain(0);
      for (const socket of open) socket.destroy();
      await closed;
      // Lets go of the connections to its backends.
      frontend.configure(settingsOf({}));
    },
  };
}

function settingsOf({ backends = [], limits, settings }: FrontOptions): WorkerSettings {
  const [first, ...others] = backends.map(backendOf);
  const routes: RouteSettings[] = first === undefined ? [] : [{ backends: [first, ...others] }];
  return workerSettings({ routes, limits: { ...LIMITS, ...limits }, ...ENGINE, ...settings });
}

function backendOf(url: string): BackendSettings {
  const socketPath = /^unix:(.*)$/.exec(url)?.[1];
  if (socketPath !== undefined) return serverAt('http://localhost', { socketPath });
  return serverAt(url.replace(/^h2\+/, ''), { h2: url.startsWith('h2+') });
}
