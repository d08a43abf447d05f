/**
 * What a Redis holds for us, where look-ups will find nothing: keys of the other prime style, of an older manager, or of a manager
 * that primes into another database.
 *
 * Only cheap questions, on a connection of their own: SCAN in a bounded number of steps, INFO keyspace, and HEXISTS of a few keys.
 * Nothing is read of a value. Whatever a server does not answer (an ACL may forbid all of these, a cluster has one database only
 * and each of its nodes a part of the keys) is left out: the survey says only what it knows.
 */
import type { Redis } from 'ioredis';
import { isErrorReply, type PrimeStyle } from './schema.js';

/** Keys of one database, by what they are to us. */
export interface DatabaseSurvey {
  readonly database: number;
  /** Prime styles that there are keys of. `d` and `bare`: those of manager 0.4.0, `d:NAME` (style 1) and `NAME` (style 2). */
  readonly kinds: ReadonlySet<KeyKind>;
  /** Keys looked at. */
  readonly keys: number;
  /** All of them were looked at. */
  readonly isWhole: boolean;
}

export type KeyKind = 'd1' | 'd2' | 'd' | 'bare';

export interface Survey {
  /** The one that we read. */
  readonly own: DatabaseSurvey;
  /** Others of the same server that have keys, the lowest first. Absent where the server does not say which these are. */
  readonly others?: readonly DatabaseSurvey[];
}

/** What to say of it, if anything. */
export type Finding =
  | { readonly kind: 'as expected' }
  /** Normal for a new installation. */
  | { readonly kind: 'empty'; readonly message: string }
  | { readonly kind: 'wrong'; readonly message: string };

/** Each is a millisecond of the server's time at most. */
const STEP_KEYS = 1_000;
const MAX_STEPS = 20;
/** Databases beside ours that are looked into. */
const MAX_OTHERS = 4;
/** Keys that look like names, asked for the fields of an entry. */
const MAX_BARE = 5;
/** All keys that may be the manager's entries have one of these: the styles' colon, a name's dot. */
const MATCH = '*[.:]*';
const BARE_NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

/**
 * Looks around.
 *
 * @param redis a connection for this alone, in database `database`: it ends up in another one.
 * @throws what Redis answers where it refuses even to go through the keys of `database`; and the end of the connection, which
 *   is no refusal: nothing is known then.
 */
export async function survey(redis: Redis, database: number, style: PrimeStyle): Promise<Survey> {
  const own = await surveyDatabase(redis, database, `d${style}`);
  if (own.kinds.has(`d${style}`)) return { own, others: [] };
  const full = await unlessRefused(redis.info('keyspace'));
  // What is known of our own is still worth saying.
  if (full === undefined) return { own };
  const others: DatabaseSurvey[] = [];
  for (const other of databasesOf(full)
    .filter((number) => number !== database)
    .slice(0, MAX_OTHERS)) {
    const surveyed = redis.select(other).then(() => surveyDatabase(redis, other, `d${style}`));
    others.push((await unlessRefused(surveyed)) ?? notLookedInto(other));
  }
  return { own, others };
}

/** The databases that have keys, from the answer to INFO keyspace. */
export function databasesOf(info: string): number[] {
  return Array.from(info.matchAll(/^db(\d+):keys=/gm), ([, number]) => Number(number));
}

/** What a survey means for somebody who reads one prime style of one database. */
export function findingOf({ own, others }: Survey, style: PrimeStyle): Finding {
  const wanted: KeyKind = `d${style}`;
  if (own.kinds.has(wanted)) return { kind: 'as expected' };
  const { database, keys, isWhole, kinds } = own;
  const where = `database ${database} of Redis`;
  const none = `${where} has no ${wanted}: keys (prime style ${style})${isWhole ? '' : ` among the first ${keys}`}`;
  const otherStyle = style === 1 ? 2 : 1;
  if (kinds.has(`d${otherStyle}`)) {
    const hint = `is the manager's prime style ${otherStyle}? See --redis-strategy`;
    return { kind: 'wrong', message: `${none} but d${otherStyle}: keys: ${hint}` };
  }
  const right = others?.find((other) => other.kinds.has(wanted));
  if (right !== undefined) {
    return { kind: 'wrong', message: `${none}, but database ${right.database} has: see --redis-url` };
  }
  const older = kinds.has('d') ? 'd:NAME' : kinds.has('bare') ? 'bare NAME' : undefined;
  if (older !== undefined) {
    const hint =
      'these are of manager 0.4.0 and are not read; its certificates can be had with --fallback-server';
    return { kind: 'wrong', message: `${none} but ${older} keys: ${hint}` };
  }
  const foreign = others?.find((other) => other.kinds.size > 0);
  if (foreign !== undefined) {
    const [kind] = foreign.kinds;
    const what =
      kind === 'bare' || kind === 'd' ? 'keys of manager 0.4.0, which are not read' : `${kind}: keys`;
    return { kind: 'wrong', message: `${none}, and database ${foreign.database} has ${what}` };
  }
  // A key that was looked for and not found among many proves nothing.
  if (!isWhole) return { kind: 'as expected' };
  if (keys === 0 && others?.length === 0)
    return { kind: 'empty', message: 'Redis has no keys of the manager: nothing is primed yet' };
  const full = (others ?? []).map((other) => other.database).join(', ');
  return { kind: 'empty', message: full === '' ? none : `${none}; not empty: database ${full}` };
}

async function surveyDatabase(redis: Redis, database: number, wanted: KeyKind): Promise<DatabaseSurvey> {
  const kinds = new Set<KeyKind>();
  const bare: string[] = [];
  let keys = 0;
  let cursor = '0';
  for (let step = 0; step < MAX_STEPS; step++) {
    const [next, found] = await redis.scan(cursor, 'MATCH', MATCH, 'COUNT', STEP_KEYS);
    for (const key of found) {
      const kind = /^(d[12]?):/.exec(key)?.[1] as KeyKind | undefined;
      if (kind !== undefined) kinds.add(kind);
      else if (bare.length < MAX_BARE && BARE_NAME.test(key)) bare.push(key);
    }
    keys += found.length;
    cursor = next;
    if (cursor === '0' || kinds.has(wanted)) break;
  }
  if (!kinds.has(wanted)) {
    for (const key of bare) if (await isWholeEntry(redis, key)) kinds.add('bare');
  }
  return { database, kinds, keys, isWhole: cursor === '0' };
}

/** One that has keys, which are not shown to us. */
function notLookedInto(database: number): DatabaseSurvey {
  return { database, kinds: new Set(), keys: 0, isWhole: false };
}

/** Whether a key has the fields of a style 2 entry. Anybody's key may look like a name, and hold another type. */
async function isWholeEntry(redis: Redis, key: string): Promise<boolean> {
  const has = async (field: string): Promise<boolean> =>
    (await unlessRefused(redis.hexists(key, field))) === 1;
  return (await has('f')) && (await has('p'));
}

/** The answer; undefined where the server answers with an error. Rejects when the connection is lost. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    if (isErrorReply(thrown)) return undefined;
    throw thrown;
  }
}
