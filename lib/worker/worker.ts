/**
 * A worker: listener → certificates → frontend, obeying the primary over the bus.
 *
 * It holds no truth: everything in it may be thrown away.
 */
import cluster from 'node:cluster';
import { createServer, type Server, type Socket } from 'node:net';
import { channels } from '../channels/channels.js';
import { BusEndpoint, type Handlers } from '../bus/endpoint.js';
import { portToPrimary } from '../bus/process-port.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import {
  isListenMessage,
  WORKER_TITLE,
  type ListenMessage,
  type PrimaryToWorker,
  type WorkerToPrimary,
} from '../bus/messages.js';
import { systemClock } from '../base/clock.js';
import type { BackendFacts } from '../domain/backend-status.js';
import { describeError } from '../domain/errors.js';
import { Recorder } from '../metrics/recorder.js';
import { createLogger } from '../log/pino-logger.js';
import { acceptPlain } from '../net/plain-listener.js';
import { addressOfHandle, listenOnHandle } from '../net/shared-handle.js';
import { AddressList } from '../net/address-list.js';
import type { ConnectionInfo } from '../net/connection-info.js';
import { ConnectionLimits } from '../net/connection-limits.js';
import { Names } from '../net/names/names.js';
import type { RawConnection } from '../net/raw-connection.js';
import { HandshakeIds } from '../tls/handshake-ids.js';
import { terminateTls } from '../tls/terminate.js';
import { Certificates } from './certificates.js';
import { BusChallengeDesk } from './challenge-desk.js';
import { FailedHandshakes } from './failed-handshakes.js';
import { Frontend } from './frontend.js';
import { HandshakeMetrics } from './handshake-metrics.js';
import { publishFailed, publishSecured } from './publish-handshakes.js';
import { leaveToEnd, OwnHandshakes } from './own-handshakes.js';
import { MetricsReports } from './metrics-reports.js';
import { TrafficMetrics } from './traffic-metrics.js';
import { WorkerGauges } from './worker-gauges.js';

/**
 * The manager gives up on an admin request after a second. Nearly all of that goes by before we give up on the primary: on
 * an overloaded machine a late success is worth more than a quick 503, which the manager counts as a failure too.
 * `--expire-workers` waits for every worker, and the primary gives up on one that hangs before this.
 */
const ADMIN_DEADLINE_MS = 900;
/** An operation may ask sources and make handshakes. */
const OPERATION_DEADLINE_MS = 30_000;
const HELLO_DEADLINE_MS = 10_000;
const READY_DEADLINE_MS = 10_000;
/** After connections are cut, so long is left for backends and the access log to be told. The primary waits longer. */
const CUT_MS = 100;
const METRICS_DEADLINE_MS = 5_000;
/** Before an exit the primary has so long to take the last counts. */
const LAST_METRICS_MS = 300;

/** Of a worker that has no settings yet. */
const NOTHING_KNOWN = { isPrimaryLate: false };

type Bus = BusEndpoint<PrimaryToWorker, WorkerToPrimary>;

/** Runs this process as a worker until the primary ends it. */
export function runWorker(): void {
  process.title = WORKER_TITLE;
  let worker: Worker | undefined;
  const recorder = new Recorder();
  const missed = recorder.counter('peter_sslers_bus_deadline_misses_total').with({});
  // Handles may come right behind the first configure: they are kept until the worker stands.
  const bus: Bus = new BusEndpoint<PrimaryToWorker, WorkerToPrimary>(
    portToPrimary(process),
    {
      configure: ({ settings }) => {
        if (worker === undefined) worker = new Worker(bus, settings, recorder);
        else worker.configure(settings);
        return {};
      },
      ticketKeys: ({ ticketKeys }) => {
        worker?.certificates.setTicketKeys(ticketKeys);
        return {};
      },
      expire: ({ name }) => {
        worker?.certificates.expire(name);
        return {};
      },
      warm: ({ value, atMs }) => {
        for (const hot of value) worker?.certificates.warm({ value: hot, atMs });
        return {};
      },
      makeStale: ({ names }) => {
        worker?.certificates.makeStale(names);
        return {};
      },
      inspect: ({ name }) => ({ pid: process.pid, ...(worker?.certificates.inspect(name) ?? NOTHING_KNOWN) }),
      ownHandshakes: ({ marker, forMs }) => {
        worker?.own.expect(marker, forMs);
        return {};
      },
      backends: () => ({ pid: process.pid, backends: worker?.backendFacts() ?? [] }),
      reopenLogs: () => {
        worker?.reopenLogs();
        return {};
      },
      ping: () => ({}),
      drain: ({ timeoutMs, idleGraceMs }) => {
        if (worker === undefined) process.exit(0);
        worker.drain(timeoutMs, idleGraceMs);
        return {};
      },
    } satisfies Handlers<PrimaryToWorker>,
    { onDeadline: () => missed.inc() },
  );
  process.on('message', (message: unknown, handle: unknown) => {
    if (isListenMessage(message)) worker?.listen(handle, message);
  });
  // A worker is of no use without its primary.
  bus.call('hello', {}, HELLO_DEADLINE_MS).catch(() => process.exit(1));
}

class Worker {
  readonly log: ReturnType<typeof createLogger>;
  readonly certificates: Certificates;
  readonly own = new OwnHandshakes(() => performance.now());
  readonly #bus: Bus;
  readonly #frontend: Frontend;
  readonly #servers: Server[] = [];
  readonly #connections: ReadonlySet<Socket | RawConnection>[] = [];
  readonly #limits: ConnectionLimits;
  readonly #ids: HandshakeIds;
  readonly #failed: FailedHandshakes;
  readonly #handshakes: HandshakeMetrics;
  readonly #reports: MetricsReports;
  #proxies: AddressList;
  #settings: WorkerSettings;
  #listening = 0;
  #draining = false;
  #cutting = false;
  #drainTimer: NodeJS.Timeout | undefined;

  constructor(bus: Bus, settings: WorkerSettings, recorder: Recorder) {
    const id = cluster.worker?.id ?? 0;
    this.#bus = bus;
    this.#settings = settings;
    this.#proxies = new AddressList(settings.acceptProxyProtocol);
    this.log = createLogger({ settings: settings.log, role: 'worker', workerId: id });
    process.on('uncaughtException', (error) => {
      this.log.err('worker failed', { error: describeError(error), stack: error.stack });
      this.log.flush();
      process.exit(1);
    });
    this.#ids = new HandshakeIds(id);
    this.#limits = new ConnectionLimits({
      limits: () => this.#settings.limits,
      now: () => performance.now(),
      onRefused: (limit, count, client) =>
        this.log.notice('too many connections: some are refused', {
          limit: limit === 'maxConnections' ? '--max-connections' : '--max-connections-per-client',
          refused: count,
          refusedInAll: this.#limits.refused,
          open: this.#limits.open,
          client,
        }),
    });
    this.#handshakes = new HandshakeMetrics(recorder);
    this.#failed = new FailedHandshakes({ log: this.log, now: () => performance.now() });
    this.certificates = new Certificates(
      {
        ask: (params, deadlineMs) => this.#handshakes.asked(params, bus.call('resolve', params, deadlineMs)),
        observer: this.#handshakes.lru,
        log: this.log,
        clock: systemClock,
      },
      settings,
    );
    this.#frontend = new Frontend(
      {
        actions: {
          status: () => bus.call('status', {}, ADMIN_DEADLINE_MS),
          expireAll: (params) => bus.call('expireAll', params, ADMIN_DEADLINE_MS),
          expireDomain: (params) => bus.call('expireDomain', params, ADMIN_DEADLINE_MS),
          operate: (call) => bus.call('operate', call, OPERATION_DEADLINE_MS),
        },
        challengeDesk: new BusChallengeDesk(bus, this.log),
        metrics: new TrafficMetrics(recorder),
        log: this.log,
        names: new Names({
          onHealth: (name, error) => {
            if (error === undefined) this.log.notice('backend name looked up again', { name });
            else
              this.log.notice('backend name cannot be looked up: its last addresses are used', {
                name,
                error,
              });
          },
        }),
        workerName: `worker ${id}, process ${process.pid}`,
      },
      settings,
    );
    const gauges = new WorkerGauges(recorder, {
      bus,
      certificates: this.certificates,
      frontend: this.#frontend,
      limits: this.#limits,
    });
    this.#reports = new MetricsReports({
      recorder,
      poll: () => gauges.set(),
      tell: (delta) => bus.call('metrics', { delta }, METRICS_DEADLINE_MS),
    });
  }

  /** Accepts on a handle of the primary's; says `ready` after the last of `count`. */
  listen(handle: unknown, { role, index, count }: ListenMessage): void {
    const server = createServer();
    const open = role === 'tls' ? this.#acceptTls(server, index) : this.#acceptPlain(server, index);
    this.#servers.push(server);
    this.#connections.push(open);
    const address = addressOfHandle(handle);
    server.on('error', (error) => {
      this.log.err('listener failed', { address, error: describeError(error) });
      if (server.listening) return;
      // Another program began to listen there after the primary had bound the address.
      this.log.flush();
      process.exit(1);
    });
    server.on('listening', () => {
      if (++this.#listening === count) this.#sayReady();
    });
    listenOnHandle(server, handle);
  }

  #acceptTls(server: Server, index: number): ReadonlySet<RawConnection> {
    return terminateTls(server, {
      index,
      ids: this.#ids,
      limits: this.#limits,
      choose: (name, asker, hello) => {
        this.own.see(asker, hello);
        return this.certificates.choose(name, asker, index, hello);
      },
      alpnFor: (name, offered) => this.#frontend.alpnFor(name, offered),
      choosesByAddress: () => this.#settings.choosesByAddress,
      sendsProxyHeader: (peer) => this.#proxies.has(peer),
      rejectsUnknownNames: () => this.#settings.unknownName === 'reject',
      handshakeTimeoutMs: () => this.#settings.handshakeTimeoutMs,
      needsNodeSocket: () => this.#frontend.needsNodeSocket,
      onSecure: (socket, info, raw) => {
        if (this.log.enabled('debug')) this.#logHandshake(info);
        if (this.own.take(info)) {
          leaveToEnd(socket);
          return;
        }
        this.#handshakes.secured(socket, info);
        if (channels.handshake.hasSubscribers) publishSecured(socket, info);
        this.#frontend.accept(socket, info, raw);
      },
      onFailure: (failure) => {
        const isOwn = this.own.take(failure);
        this.#failed.note(failure, isOwn);
        if (isOwn) return;
        this.#handshakes.failed(failure);
        if (channels.handshake.hasSubscribers) publishFailed(failure);
      },
    });
  }

  #acceptPlain(server: Server, index: number): ReadonlySet<Socket> {
    return acceptPlain(server, {
      index,
      limits: this.#limits,
      sendsProxyHeader: (peer) => this.#proxies.has(peer),
      headerTimeoutMs: () => this.#settings.handshakeTimeoutMs,
      onConnection: (socket, info) => this.#frontend.acceptPlain(socket, info),
    });
  }

  #sayReady(): void {
    this.#bus.call('ready', {}, READY_DEADLINE_MS).catch((error: unknown) => {
      this.log.err('the primary did not take the ready message', { error: describeError(error) });
    });
  }

  configure(settings: WorkerSettings): void {
    this.#settings = settings;
    this.#proxies = new AddressList(settings.acceptProxyProtocol);
    this.certificates.configure(settings);
    this.#frontend.configure(settings);
    // Last: this may throw for a file that cannot be opened, and the rest must be in force all the same.
    this.log.configure(settings.log);
  }

  backendFacts(): BackendFacts[] {
    return this.#frontend.backendFacts();
  }

  /** Opens the log files again: after they were rotated. */
  reopenLogs(): void {
    // First, since it never throws: the reopening of the log may.
    this.#frontend.reopenLogs();
    this.log.reopen();
  }

  /**
   * Stops accepting, finishes what is under way, exits: at the latest after `timeoutMs`, of the last call.
   *
   * @param idleGraceMs how long idle connections may ask once more, likewise.
   */
  drain(timeoutMs: number, idleGraceMs: number): void {
    clearTimeout(this.#drainTimer);
    this.#drainTimer = setTimeout(() => this.#cut(), timeoutMs);
    this.#frontend.drain(idleGraceMs);
    if (this.#draining) return;
    this.#draining = true;
    for (const server of this.#servers) server.close();
    const check = (): void => {
      if (!this.#cutting && this.#openCount() === 0 && this.#frontend.splices.size === 0) void this.#exit();
    };
    for (const open of this.#connections) {
      for (const socket of open) socket.once('close', () => setImmediate(check));
    }
    this.#frontend.splices.onEnd(() => setImmediate(check));
    setImmediate(check);
  }

  /**
   * Cuts open connections, and leaves time to tell of it: backends get a reset, since they would take an end for a whole message, and
   * the access log gets its lines.
   */
  #cut(): void {
    this.#cutting = true;
    this.log.notice('drain timeout: connections are cut', { connections: this.#openCount() });
    this.#frontend.splices.cut();
    for (const open of this.#connections) for (const socket of open) socket.destroy();
    setTimeout(() => void this.#exit(), CUT_MS);
  }

  async #exit(): Promise<never> {
    const late = new Promise((resolve) => setTimeout(resolve, LAST_METRICS_MS));
    await Promise.race([this.#reports.finish(), late]);
    this.#frontend.flushLogs();
    this.#failed.flush();
    this.log.flush();
    process.exit(0);
  }

  #openCount(): number {
    return this.#connections.reduce((sum, open) => sum + open.size, 0);
  }

  #logHandshake({ handshake, serverName, tier, reason, chooseMs }: ConnectionInfo): void {
    this.log.debug('handshake', {
      handshake,
      name: serverName,
      tier,
      reason,
      ms: Math.round(chooseMs * 1000) / 1000,
    });
  }
}
