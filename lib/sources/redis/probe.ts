/**
 * A look at a Redis, once, for a person: whether it can be used, and what it holds. Nothing is written, and nothing stays open.
 */
import type { RedisSettings } from '../../config/settings.js';
import { ioredis } from '../../base/lazy-imports.js';
import { connectionOptions } from './connection-options.js';
import { RedisSource } from './source.js';
import { findingOf, survey, type Finding } from './survey.js';
import { describeRedisUrl } from './url.js';

export interface RedisProbe {
  /** Without its password. */
  readonly url: string;
  /** Why it cannot be used. */
  readonly failure?: string;
  /** What it holds; absent where it does not say. */
  readonly holds?: Finding;
}

/** @param timeoutMs of each of both questions. Never rejects. */
export async function probeRedis(settings: RedisSettings, timeoutMs: number): Promise<RedisProbe> {
  const url = describeRedisUrl(settings.url);
  const source = new RedisSource({ settings, timeoutMs });
  try {
    const check = await source.check();
    if (!check.ok) return { url, failure: check.reason };
  } finally {
    await source.close();
  }
  const holds = await look(settings, timeoutMs);
  return { url, ...(holds !== undefined && { holds }) };
}

/** On a connection of its own: it changes the database. */
async function look({ url, strategy }: RedisSettings, timeoutMs: number): Promise<Finding | undefined> {
  const options = connectionOptions(url, timeoutMs);
  const { Redis } = ioredis();
  const redis = new Redis(options);
  const timer = setTimeout(() => redis.disconnect(), timeoutMs);
  // Errors of commands reject their promises; this event has all other errors of the connection.
  redis.on('error', () => redis.disconnect());
  try {
    await redis.connect();
    return findingOf(await survey(redis, options.db ?? 0, strategy), strategy);
  } catch {
    // An ACL may forbid all of it.
    return undefined;
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
