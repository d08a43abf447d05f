/** Cases where a client is served the default, though a source has one, or nobody is asked. */
import { byDefault, worker, hasIt, type Case } from './case.js';
import { absent, best, cached, DEFAULT, expired, failed, kept, modern, source } from './facts.js';

export const BEHIND: readonly Case[] = [
  [
    'worker-silent',
    'all of them',
    {
      workers: [
        { pid: 7, failure: 'x' },
        { pid: 8, failure: 'x' },
      ],
      clients: [],
    },
    /^Handshakes for www\.a\.test get no answer: none of the 2 workers \(processes 7, 8\) answers/,
  ],
  [
    'listener',
    'nobody listens',
    { clients: [modern(undefined, { failure: '127.0.0.1:1 cannot be reached: it refuses connections' })] },
    /^No handshake can be made: 127\.0\.0\.1:1 cannot be reached: it refuses connections\.$/,
  ],
  [
    'handshake-failed',
    'cut off',
    { clients: [modern(undefined, { failure: 'the connection was closed before the handshake ended' })] },
    /^A client of www\.a\.test gets no handshake: the connection was closed/,
  ],
  [
    'no-server-name',
    'none is sent',
    { asked: '', clients: byDefault },
    /^A client that sends no server name/,
  ],
  ['no-name', 'a blank', { asked: 'a b', isNoName: true, clients: [] }, /^"a b" is no host name/],
  [
    'negative-cached',
    'primed later',
    { primary: { negative: absent, isPurged: false }, clients: byDefault },
    /for 9 min more that www\.a\.test has no certificate, as 1 min ago no source had one; redis has one now\.$/,
    'expire',
  ],
  [
    'negative-cached',
    'of what has expired',
    {
      sources: [source('redis', { candidates: [expired] })],
      primary: { negative: absent, isPurged: false },
      clients: byDefault,
    },
    /redis has one now, though it expired on 2026-05-31 12:00 UTC\.$/,
    'expire',
  ],
  [
    'negative-cached',
    'of the wildcard',
    {
      sources: [source('redis')],
      primary: { negative: absent, isPurged: false },
      wildcard: { name: '*.a.test', primary: { negative: absent, isPurged: false }, sources: [hasIt] },
      clients: byDefault,
    },
    /that \*\.a\.test has no certificate/,
    "peter-sslers-proxy expire domain www.a.test '*.a.test' --workers",
  ],
  [
    'error-cached',
    'a moment ago',
    { primary: { negative: failed, isPurged: false }, clients: byDefault },
    /: 1 s ago no source could tell for www\.a\.test \(redis: it is down\), which is looked up again in 4 s; redis has one now\.$/,
    'expire',
  ],
  [
    'worker-has-negative',
    'while the primary has a good one',
    { primary: kept(), workers: [worker({ negative: absent }), worker({ cached: cached() })] },
    /^The default certificate is served by 1 of 2 workers, which remembers for 9 min more that www\.a\.test has no certificate; redis has one now\.$/,
    'expire',
  ],
  [
    'worker-has-negative',
    'of a failure',
    { workers: [worker({ negative: failed })], clients: byDefault },
    /that www\.a\.test had none that could be served \(redis: it is down\)/,
    'expire',
  ],
  [
    'primary-late',
    'a worker goes on alone',
    { workers: [worker({ isPrimaryLate: true })], clients: byDefault },
    /for www\.a\.test by 1 of 1 workers that goes on without the primary/,
  ],
  [
    'source-down',
    'it is left out, and answers again',
    {
      sources: [source('redis', { candidates: [best()], skipped: { forMs: 3_000, reason: 'it was down' } })],
      clients: byDefault,
    },
    /have left redis out for 3 s, as it failed \(it was down\); it answers again now\.$/,
  ],
  [
    'budget-empty',
    'others have used it up',
    {
      sources: [source('manager', { candidates: [best()], budget: { left: 0, waiting: 3, perSecond: 2 } })],
      clients: byDefault,
    },
    /wait for their turn at manager, which may be asked 2 times a second .* \(3 wait now\); manager has one now\.$/,
    'reload',
  ],
  [
    'too-slow',
    'one source',
    { sources: [source('manager', { candidates: [best()], tookMs: 3_000 })], clients: byDefault },
    /manager took 3 s to answer, and a handshake waits 2 s for all sources together/,
  ],
  [
    'too-slow',
    'all together',
    {
      sources: [
        source('redis', { tookMs: 1_400 }),
        source('manager', { candidates: [best()], tookMs: 1_300 }),
      ],
      clients: [modern(DEFAULT, { tookMs: 2_003 })],
    },
    /redis took 1\.4 s to answer/,
  ],
  ['unknown', 'nothing says why', { clients: byDefault }, /nothing that is known of www\.a\.test says why/],
];
