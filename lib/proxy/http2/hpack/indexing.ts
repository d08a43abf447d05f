/**
 * Which fields the encoder adds to its table. PURE.
 */

/**
 * - `added`: to the table, and named by index when it comes again;
 * - `not added`: sent as a literal each time (RFC 7541 §6.2.2);
 * - `never indexed`: the same, and nobody on the way may do otherwise (§6.2.3).
 */
export type Indexing = 'added' | 'not added' | 'never indexed';

/**
 * Secrets. Whoever can make a client send fields of his choice, or a backend answer with them, learns from the size of a block
 * whether he has guessed an entry of its table (§7.1). A long random value cannot be guessed whole, but a short one can; and how
 * random a value is we cannot tell, so no length is let through.
 */
const SECRET: readonly string[] = ['authorization', 'cookie', 'proxy-authorization', 'set-cookie'];

/**
 * Values that hardly come twice on a connection: each would push out one that does. `date` is none of them: it is the same for a
 * second, in which a page is fetched.
 */
const CHANGING: readonly string[] = [
  ':path',
  'age',
  'content-length',
  'content-range',
  'etag',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'last-modified',
  'location',
  'range',
  'server-timing',
  'traceparent',
  'x-request-id',
];

const BY_NAME: ReadonlyMap<string, Indexing> = new Map([
  ...SECRET.map((name) => [name, 'never indexed'] as const),
  ...CHANGING.map((name) => [name, 'not added'] as const),
]);

/** @param name in lower case. */
export function indexingOf(name: string): Indexing {
  return BY_NAME.get(name) ?? 'added';
}
