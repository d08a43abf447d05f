/**
 * The source `redis`: certificates as the manager primes them into Redis. Only ever read.
 *
 * A look-up makes two round trips in prime style 1 and one in style 2, over one connection that all look-ups share. It
 * waits for that connection while it is being made, and the whole of it is bounded by `timeoutMs`. A connection that the
 * server closed while it was idle costs a look-up nothing: the question is asked once more over a new one. While Redis is
 * away every look-up tries it again (all of them together, so a refusal is noticed at once and so is its return), and
 * between look-ups it is tried with a growing delay.
 *
 * Every connection is an ioredis client of its own that does not reconnect: then no state and no queue of a lost
 * connection lives on in the next.
 */
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/settings.js';
import { describeError, ProxyError } from '../../domain/errors.js';
import type { SourceInspection, SourceRemark } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import { ioredis } from '../../base/lazy-imports.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import { connectionOptions } from './connection-options.js';
import { entryQuestion, isErrorReply, readErrorReply, readParts, readPointers, readWhole } from './schema.js';
import { findingOf, survey } from './survey.js';
import { describeRedisUrl, type ClientOptions } from './url.js';
import type { CertificateSource, LookupContext, SourceCheck } from '../source.js';

export interface RedisSourceOptions {
  readonly settings: RedisSettings;
  readonly log?: Logger;
  /** Bounds connecting and each look-up as a whole, milliseconds. @default 1500 */
  readonly timeoutMs?: number;
}

/** A connection, or the attempt at one. */
interface Connection {
  readonly redis: Redis;
  readonly ready: Promise<Redis>;
}

const DEFAULT_TIMEOUT_MS = 1_500;
const MIN_RECONNECT_MS = 50;
const MAX_RECONNECT_MS = 1_000;
/** For the survey of the keys, which nobody waits for. */
const SURVEY_TIMEOUT_MS = 10_000;
const CLOSED = 'the Redis source is closed';
/** A name that nobody can have a certificate for (RFC 6761 §6.4). */
const PROBE_NAME = 'check.invalid' as ServerName;
/** Parts of prime style 1 with an id that the manager never gives: its ids are numbers. */
const PROBE_PARTS = [`c:${PROBE_NAME}`, `p:${PROBE_NAME}`, `i:${PROBE_NAME}`];

export class RedisSource implements CertificateSource {
  readonly name = 'redis';
  readonly role = 'copy';
  readonly #style: 1 | 2;
  readonly #options: ClientOptions;
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #log: Logger;
  readonly #underWay = new Set<AbortController>();
  #connection: Connection | undefined;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #failedAttempts = 0;
  #isClosed = false;
  #isSurveyDue = false;
  #surveying: Redis | undefined;
  #lastFinding = '';
  /** The same, where it is about keys in the wrong place. */
  #lastWrong = '';

  /**
   * Begins to connect at once, so that the first look-up finds a connection.
   *
   * @throws ProxyError ERR_USAGE for a URL that is not a Redis one.
   */
  constructor({ settings, log = silentLogger, timeoutMs = DEFAULT_TIMEOUT_MS }: RedisSourceOptions) {
    this.#style = settings.strategy;
    this.#address = describeRedisUrl(settings.url);
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#options = connectionOptions(settings.url, timeoutMs);
    this.#connect().ready.catch(() => undefined);
  }

  async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    try {
      return await this.#bounded(context.signal, (signal) => this.#read(name, signal));
    } catch (error) {
      return this.#explain(error);
    }
  }

  /** Reads like the look-ups, and nothing else: an ACL may allow just what these need. */
  async check(): Promise<SourceCheck> {
    const { key, fields } = entryQuestion(this.#style, PROBE_NAME);
    const parts = this.#style === 1 ? PROBE_PARTS : [];
    try {
      await this.#bounded(undefined, (signal) =>
        this.#ask(signal, (redis) =>
          Promise.all([redis.hmget(key, ...fields), ...parts.map((part) => redis.get(part))]),
        ),
      );
    } catch (error) {
      const { reason } = this.#explain(error);
      return { ok: false, reason };
    }
    this.#log.debug('redis answers', { url: this.#address, database: this.#options.db });
    return { ok: true };
  }

  /** Whether the name has an entry of the other prime style, and what the last look around has found to be wrong. */
  async inspect(name: ServerName, { signal }: { readonly signal: AbortSignal }): Promise<SourceInspection> {
    const remarks: SourceRemark[] = [];
    const style = this.#style === 1 ? 2 : 1;
    const { key } = entryQuestion(style, name);
    try {
      const isThere = await this.#bounded(signal, (within) =>
        this.#ask(within, (redis) => redis.hexists(key, 'p')),
      );
      if (isThere === 1) {
        remarks.push({
          kind: 'other style',
          text: `it holds ${key}, which is of prime style ${style}; --redis-strategy ${this.#style} reads the other one`,
        });
      }
    } catch {
      // The look-up says why Redis does not answer.
    }
    if (this.#lastWrong !== '') remarks.push({ kind: 'survey', text: this.#lastWrong });
    return { remarks };
  }

  /**
   * Says in the log what keys there are where look-ups will find none: of another prime style, or in another database. At once
   * where Redis is connected, else when it is; in the background, and nothing where Redis does not answer what is asked for it.
   * Where the connection is lost meanwhile, it is done again when there is the next one. The same is not said twice.
   */
  lookAround(): void {
    this.#isSurveyDue = true;
    if (this.#connection?.redis.status === 'ready') this.#surveyIfDue();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#surveying?.disconnect();
    clearTimeout(this.#reconnectTimer);
    for (const task of this.#underWay) task.abort(ended(CLOSED));
    const redis = this.#connection?.redis;
    this.#connection = undefined;
    if (redis === undefined || redis.status === 'end') return;
    await new Promise<void>((resolve) => {
      redis.once('end', resolve);
      redis.disconnect();
    });
  }

  async #read(name: ServerName, signal: AbortSignal): Promise<Lookup> {
    const { key, fields } = entryQuestion(this.#style, name);
    const entry = await this.#ask(signal, (redis) => redis.hmget(key, ...fields));
    if (this.#style === 2) return readWhole(key, entry);
    const pointers = readPointers(key, entry);
    if (pointers.kind !== 'pointers') return pointers;
    // Single GETs and no MGET: in a cluster the keys are on different nodes. Auto-pipelining sends them as one.
    const parts = await this.#ask(signal, (redis) =>
      Promise.all(pointers.keys.map((part) => redis.get(part))),
    );
    return readParts(pointers, parts);
  }

  /** Asks; and asks once more over a new connection when the first one ended without an answer. */
  async #ask<T>(signal: AbortSignal, question: (redis: Redis) => Promise<T>): Promise<T> {
    const connection = this.#connect();
    const redis = await connection.ready;
    signal.throwIfAborted(); // nobody waits for the answer any more
    try {
      return await question(redis);
    } catch (error) {
      if (isErrorReply(error) || signal.aborted) throw error;
      this.#letGo(connection);
      redis.disconnect();
    }
    return await question(await this.#connect().ready);
  }

  /** Runs a task until it settles, the time is over, the caller gives it up, or the source is closed. */
  async #bounded<T>(outer: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const givenUp = (): Error => ended('the look-up was given up before Redis answered');
    if (this.#isClosed) throw ended(CLOSED);
    if (outer?.aborted) throw givenUp();
    const task = new AbortController();
    const onAbort = (): void => task.abort(givenUp());
    const timer = setTimeout(() => {
      task.abort(ended(`Redis at ${this.#address} did not answer within ${this.#timeoutMs} ms`));
    }, this.#timeoutMs);
    outer?.addEventListener('abort', onAbort);
    this.#underWay.add(task);
    try {
      return await new Promise<T>((resolve, reject) => {
        task.signal.addEventListener('abort', () => reject(task.signal.reason as Error));
        run(task.signal).then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
      this.#underWay.delete(task);
    }
  }

  /** The connection; if there is none, one is begun. */
  #connect(): Connection {
    if (this.#isClosed) throw ended(CLOSED);
    if (this.#connection !== undefined) return this.#connection;
    clearTimeout(this.#reconnectTimer);
    const { Redis } = ioredis();
    const redis = new Redis(this.#options);
    const connection = { redis, ready: this.#establish(redis) };
    // A failure is handled even if nobody waits for this connection.
    connection.ready.catch(() => undefined);
    redis.once('end', () => this.#letGo(connection));
    this.#connection = connection;
    return connection;
  }

  async #establish(redis: Redis): Promise<Redis> {
    // What `connect` rejects with says only that the connection is closed; the reason comes as an event before it.
    let firstError: Error | undefined;
    const note = (error: unknown): void => {
      firstError ??= error instanceof Error ? error : new Error(String(error));
    };
    redis.on('error', note);
    await redis.connect().catch(note);
    if (firstError === undefined) {
      const fields = { url: this.#address, database: this.#options.db };
      if (this.#failedAttempts > 0) this.#log.notice('redis is available again', fields);
      else this.#log.info('connected to redis', fields);
      this.#failedAttempts = 0;
      this.#surveyIfDue();
      return redis;
    }
    // Also where it connected: ioredis goes on after a refused SELECT, in database 0, where every name would be absent.
    if (redis.status === 'ready') redis.disconnect();
    if (this.#failedAttempts++ === 0 && !this.#isClosed) {
      this.#log.err('redis is not available', { reason: this.#explain(firstError).reason });
    }
    throw firstError;
  }

  #surveyIfDue(): void {
    if (!this.#isSurveyDue || this.#isClosed || this.#surveying !== undefined) return;
    this.#isSurveyDue = false;
    void this.#survey();
  }

  /** On a connection of its own: it changes the database, and look-ups do not wait behind it. Never rejects. */
  async #survey(): Promise<void> {
    const { Redis } = ioredis();
    const redis = (this.#surveying = new Redis(this.#options));
    const timer = setTimeout(() => redis.disconnect(), SURVEY_TIMEOUT_MS);
    timer.unref();
    // Errors of commands reject their promises; this event has all other errors of the connection.
    redis.on('error', () => redis.disconnect());
    let isLost = false;
    try {
      await redis.connect();
      const finding = findingOf(await survey(redis, this.#options.db ?? 0, this.#style), this.#style);
      const message = finding.kind === 'as expected' ? '' : finding.message;
      if (message !== '' && message !== this.#lastFinding && !this.#isClosed) {
        if (finding.kind === 'wrong') this.#log.notice(message, { url: this.#address });
        else this.#log.info(message, { url: this.#address });
      }
      this.#lastFinding = message;
      this.#lastWrong = finding.kind === 'wrong' ? finding.message : '';
    } catch (error) {
      isLost = !isErrorReply(error);
      this.#log.debug('redis does not say what keys it has', { reason: this.#explain(error).reason });
    } finally {
      clearTimeout(timer);
      redis.disconnect();
      this.#surveying = undefined;
      // Not at once, which would be over and over: at the next connection, or when it is asked for.
      if (isLost) this.#isSurveyDue = true;
      // Asked for while this one was under way.
      else this.#surveyIfDue();
    }
  }

  /** Forgets a connection that has ended, and begins another one after a while. */
  #letGo(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#isClosed) return;
    const delayMs = Math.min(MIN_RECONNECT_MS * 2 ** this.#failedAttempts, MAX_RECONNECT_MS);
    this.#reconnectTimer = setTimeout(() => this.#connect(), delayMs);
    this.#reconnectTimer.unref();
  }

  #explain(error: unknown): Extract<Lookup, { kind: 'unavailable' }> {
    const result = isErrorReply(error)
      ? readErrorReply(error.message, keyOf(error))
      : ({ kind: 'unavailable', scope: 'source', reason: this.#describe(error) } as const);
    // Some servers quote the command that they refuse, AUTH among them.
    const { password } = this.#options;
    return password ? { ...result, reason: result.reason.replaceAll(password, '***') } : result;
  }

  #describe(error: unknown): string {
    if (error instanceof ProxyError) return error.message;
    return `cannot reach Redis at ${this.#address}: ${describeError(error)}`;
  }
}

/** A look-up that ended for a reason of ours. */
function ended(reason: string): ProxyError {
  return new ProxyError('ERR_SOURCE', reason);
}

/** The key that an error reply is about. Only of a GET or HMGET: the arguments of AUTH are nobody's business. */
function keyOf(error: Error): string | undefined {
  const { command } = error as { command?: { name: string; args: readonly unknown[] } };
  const key = command?.name === 'get' || command?.name === 'hmget' ? command.args[0] : undefined;
  return typeof key === 'string' ? key : undefined;
}
