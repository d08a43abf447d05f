/**
 * docs/limits.md has the defaults of the flags, and the limits that are fixed as they are in the code.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DEFAULTS, FLAG_NAMES } from '../../../lib/config/flags.js';

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const rows = [...textOf('docs/limits.md').matchAll(/^\| (.+?) +\| (.+?) +\| (`--.+?`|–) +\|/gm)].map(
  ([, limit = '', value = '', flag = '']) => ({ limit, value, flag: flag.replaceAll(/`(?:--)?/g, '') }),
);

/** Those without a flag: where each is, and as what. Undefined: it is no single number, or it is by construction. */
const FIXED: Readonly<Record<string, readonly [file: string, pattern: RegExp] | undefined>> = {
  'connections that wait to be accepted, each listener': ['net/shared-handle', /BACKLOG = (\d+);/],
  'bytes of a ClientHello': ['tls/client-hello', /HANDSHAKE_HEADER_BYTES \+ ([\d_]+);/],
  'records of a ClientHello': ['tls/client-hello', /MAX_CLIENT_HELLO_RECORDS = (\d+);/],
  'bytes of a PROXY header': ['net/proxy-protocol-parser', /MAX_PROXY_HEADER_BYTES = (.+);/],
  'look-ups that wait for that': ['sources/limits/token-bucket', /DEFAULT_MAX_WAITERS = (\d+);/],
  'an answer of the manager': ['sources/manager/client', /MAX_ANSWER_BYTES = (.+);/],
  'a value in Redis': ['sources/redis/schema', /MAX_VALUE_LENGTH = (.+);/],
  'questions to the manager at once': ['sources/manager/client', /QUERY_CONNECTIONS = (\d+);/],
  'questions of one client to it at once': undefined,
  'failures of a source in a row until it is skipped': [
    'sources/limits/circuit-breaker',
    /DEFAULT_THRESHOLD = (\d+);/,
  ],
  'folders below `--cert-dir`': ['sources/directory/walk', /MAX_DEPTH = (\d+);/],
  'bytes of a file there': ['sources/directory/files', /MAX_FILE_BYTES = (.+);/],
  'certificates that the internal authority keeps': [
    'sources/internal-ca/source',
    /DEFAULT_MAX_LEAVES = (.+);/,
  ],
  'names that `status` of the admin routes lists': ['resolver/resolver', /MAX_STATUS_NAMES = (\d+);/],
  'orders that wait, in all': ['sources/manager/order-slots', /\bmax: ([\d_]+),/],
  'the same of one client': ['sources/manager/order-slots', /maxPerClient: (\d+),/],
  'the same of the names below one parent': ['sources/manager/order-slots', /maxPerParent: (\d+) /],
  'challenges at the manager at once, of the machine': ['primary/challenge-leases', /atOnce: (\d+),/],
  'challenges of one client': ['primary/challenge-leases', /atOncePerClient: (\d+),/],
  'an answer to a challenge, all servers together': ['proxy/challenge-servers', /FORWARD_MS = ([\d_]+);/],
  'fields in it': ['proxy/headers/headers', /MAX_FIELDS = (\d+);/],
  'extensions and padding of chunks in one body': [
    'proxy/http1/chunked-parser',
    /MAX_EXTENSION_BYTES = (.+);/,
  ],
  'requests of one HTTP/1.1 connection at once': undefined,
  'streams of one HTTP/2 connection at once': [
    'proxy/downstream/http2-limits',
    /MAX_CONCURRENT_STREAMS = (\d+);/,
  ],
  'MiB of uploads that an HTTP/2 connection may hold': undefined,
  'work that an HTTP/2 client makes for nothing': ['proxy/downstream/abuse-budget', /BURST = ([\d_]+);/],
  'failures in a row until a backend rests': ['proxy/upstream/balancer', /DEFAULT_THRESHOLD = (\d+);/],
  "bytes of a response's head": ['proxy/upstream/http1/response-parser', /MAX_HEAD_BYTES = (.+);/],
  'interim responses (100, 103) before a response': ['proxy/upstream/upstream', /MAX_INTERIM_HEADS = (\d+);/],
  'fields of a response or of trailers over HTTP/2': ['proxy/upstream/http2/upstream', /MAX_FIELDS = (.+);/],
  'wrong passwords of one address, unpunished': ['admin/failed-logins', /FREE_FAILURES = (\d+);/],
  'bytes of a password': ['admin/authenticator', /MAX_PASSWORD_BYTES = (.+);/],
  'password checks that wait, in a worker': ['admin/check-queue', /MAX_WAITING = (\d+);/],
  'connections of `--admin-listen`, each address': ['primary/admin-listeners', /MAX_CONNECTIONS = (\d+);/],
  'the same of one client address': ['primary/admin-listeners', /MAX_CONNECTIONS_PER_CLIENT = (\d+);/],
  'the head of a request there': ['primary/admin-listeners', /HEAD_TIMEOUT_MS = ([\d_]+);/],
  'bytes of log lines that wait for a slow disk': ['log/line-sink', /MAX_PENDING_BYTES = (.+);/],
};

/** `16 * 1024`, `1_048_576`. */
function numberIn(literal: string): number {
  return literal
    .replaceAll('_', '')
    .split('*')
    .reduce((product, factor) => product * Number(factor), 1);
}

describe('docs/limits.md', () => {
  it('has the defaults of the flags', () => {
    const flagged = rows.filter(({ flag }) => flag !== '–');
    expect(flagged).to.have.length.above(20);
    for (const { value, flag } of flagged)
      expect(value.replace(/ s$/, ''), flag).to.equal(DEFAULTS[flag as keyof typeof DEFAULTS]);
  });

  it('has every flag that is a limit on clients and backends, and every time-out', () => {
    const limits = FLAG_NAMES.filter((name) => /timeout$|^max-|-maxitems$|-size$|-wait$|-rate$/.test(name));
    expect(rows.map(({ flag }) => flag)).to.include.members(limits);
  });

  it('has the fixed limits as they are in the code', () => {
    const fixed = rows.filter(({ flag }) => flag === '–');
    expect([...new Set(fixed.map(({ limit }) => limit))]).to.have.members(Object.keys(FIXED));
    for (const [limit, place] of Object.entries(FIXED)) {
      if (place === undefined) continue;
      const [file, pattern] = place;
      const literal = pattern.exec(textOf(`lib/${file}.ts`))?.[1];
      expect(literal, `${limit}: ${String(pattern)}`).to.be.a('string');
      const values = fixed.filter((row) => row.limit === limit).map(({ value }) => value);
      const shown = values.map((value) =>
        value.endsWith(' s') ? Number(value.slice(0, -2)) : Number(value),
      );
      const scale = limit.startsWith('work ')
        ? 1e6
        : /^(?:an answer to a challenge|the head of)/.test(limit)
          ? 1e3
          : 1;
      expect(shown, limit).to.include(numberIn(literal ?? '') / scale);
    }
  });
});
