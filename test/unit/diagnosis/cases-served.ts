/** Cases where a client is served a certificate of the name. */
import { worker, hasIt, none, type Case } from './case.js';
import {
  absent,
  best,
  broken,
  cached,
  DEFAULT,
  down,
  EARLY,
  EXPIRED,
  expired,
  failed,
  kept,
  leaf,
  LEAF,
  modern,
  OLD,
  source,
} from './facts.js';

export const SERVED: readonly Case[] = [
  [
    'served',
    'all is well',
    {},
    /^www\.a\.test is served its own certificate, which came from redis, valid until 2026-07-01 12:00 UTC\.$/,
  ],
  [
    'served',
    'an address has a certificate of its own',
    { asked: '', clients: [modern(leaf('f', { names: ['192.0.2.1'] }))] },
    /the certificate of the address that it connects to \(192\.0\.2\.1\)/,
  ],
  [
    'served',
    'the default certificate is the own one',
    { clients: [modern(LEAF, { isDefault: true })] },
    /is served its own certificate/,
  ],
  [
    'served',
    'the manager has renewed what Redis has still',
    {
      sources: [
        source('redis', { candidates: [best(OLD)] }),
        source('manager', { candidates: [{ leaf: LEAF, verdict: 'good' }] }),
      ],
      primary: kept(LEAF, { tier: 'manager' }),
    },
    /which came from manager/,
  ],
  [
    'served',
    'by the wildcard, the name itself being absent',
    {
      sources: [source('redis')],
      primary: { negative: absent, isPurged: false },
      wildcard: { name: '*.a.test', primary: kept(), sources: [hasIt] },
    },
    /is served the certificate of \*\.a\.test, which came from redis/,
  ],
  [
    'source-down-beside',
    'by the wildcard, while a source cannot tell of the name itself',
    {
      sources: [source('redis'), down('manager')],
      primary: { negative: failed, isPurged: false },
      wildcard: { name: '*.a.test', primary: kept(), sources: [hasIt, down('manager')] },
      workers: [worker({ cached: cached() })],
    },
    /is served the certificate of \*\.a\.test, which came from redis, .*; manager is unavailable: it does not answer\.$/,
  ],
  [
    'served',
    'by the wildcard, as the one of the name itself has expired, and is cached',
    {
      sources: [source('redis', { candidates: [expired] })],
      primary: kept(EXPIRED),
      wildcard: { name: '*.a.test', primary: kept(), sources: [hasIt] },
    },
    /is served the certificate of \*\.a\.test, which came from redis/,
  ],
  [
    'worker-silent',
    'one of two',
    { workers: [worker(), { pid: 8, failure: 'no answer within 1500 ms' }] },
    /^1 of 2 workers does not answer \(process 8\): .* by the others\.$/,
  ],
  [
    'worker-has-old',
    'an expire that did not reach it',
    { workers: [worker({ cached: cached(OLD) }), worker()], primary: kept() },
    /^1 of 2 workers still serves an earlier certificate of www\.a\.test \(b{16}\) from the LRU, for 50 s more at the most; redis has a{16} now\.$/,
    'expire',
  ],
  [
    'served',
    'what a worker has is stale, so it asks',
    { workers: [worker({ cached: cached(OLD, { state: 'stale', leftMs: 0 }) })] },
    /its own certificate/,
  ],
  [
    'cache-has-old',
    'a fresh one',
    { primary: kept(OLD), clients: [modern(OLD)] },
    /which holds an earlier certificate \(b{16}\) for 50 s more; redis has a{16} now\.$/,
    'expire',
  ],
  [
    'cache-has-old',
    'a stale one',
    { primary: kept(OLD, { state: 'stale', leftMs: 0 }), clients: [modern(OLD)] },
    /until the next look-up/,
    'expire',
  ],
  [
    'served',
    'the handshake has replaced the stale one',
    { primary: kept(OLD, { state: 'stale', leftMs: 0 }) },
    /its own certificate/,
  ],
  [
    'negative-cached',
    'the workers still have it',
    { primary: { negative: absent, isPurged: false }, workers: [worker({ cached: cached() })] },
    /is served what workers still have of it: the shared cache remembers for 9 min more/,
    'expire',
  ],
  [
    'outdated',
    'everywhere',
    { sources: [source('redis', { candidates: [expired] }), source('manager')], clients: [modern(EXPIRED)] },
    /expired on 2026-05-31 12:00 UTC \(this machine's clock says 2026-06-01 12:00 UTC\), and no source has a better one: redis has one that expired on 2026-05-31 12:00 UTC, manager has none\.$/,
    'expire',
  ],
  [
    'outdated',
    'and Redis is down',
    { sources: [down('redis')], primary: kept(EXPIRED), clients: [modern(EXPIRED)] },
    /redis is unavailable \(it does not answer\)/,
    'expire',
  ],
  [
    'not-yet-valid',
    'the clock',
    {
      sources: [
        source('redis', {
          candidates: [{ leaf: EARLY, verdict: 'best', reason: 'it is not valid before then' }],
        }),
      ],
      clients: [modern(EARLY)],
    },
    /is not valid before 2026-06-02 12:00 UTC, and this machine's clock says 2026-06-01 12:00 UTC/,
    'expire',
  ],
  [
    'source-down-stale-served',
    'the last good one',
    { sources: [down('redis'), source('manager')], primary: kept(LEAF, { state: 'stale' }) },
    /is served the last good certificate, valid until .*, since redis is unavailable: it does not answer\.$/,
  ],
  [
    'source-down-stale-served',
    'which is fresh yet',
    { sources: [down('redis')], primary: kept() },
    /which asks nobody for 50 s more, and serves on after that, as redis is unavailable/,
  ],
  [
    'source-down-stale-served',
    'half an entry',
    {
      sources: [down('redis', { scope: 'name', reason: 'c:1 is missing' })],
      primary: kept(LEAF, { state: 'stale' }),
    },
    /since redis cannot tell for www\.a\.test: c:1 is missing/,
  ],
  [
    'absent-grace',
    'noticed',
    { sources: none, primary: kept(LEAF, { absentForMs: 3_600_000 }) },
    /^Every source has said for 1 h that .*; the last one is served on for 23 h more \(--absent-grace\)\.$/,
    'expire',
  ],
  [
    'absent-grace',
    'not noticed yet',
    { sources: none, primary: kept() },
    /for 50 s more, and for 24 h after that/,
    'expire',
  ],
  [
    'gone',
    'from all but the workers',
    { sources: none, workers: [worker({ cached: cached() })] },
    /by 1 of 1 workers alone, from the LRU, for 50 s more at the most: no source has one any more\.$/,
    'expire',
  ],
  [
    'gone',
    'and a source cannot tell',
    { sources: [down('redis')], workers: [worker({ cached: cached() })] },
    /no source gives one now \(redis: unavailable, it does not answer\)/,
    'expire',
  ],
  [
    'copy-is-behind',
    'expired in Redis',
    {
      sources: [
        source('redis', { candidates: [{ ...expired, verdict: 'outdated' }] }),
        source('manager', { candidates: [best()] }),
      ],
    },
    /which came from manager, .*; redis has one that expired on 2026-05-31 12:00 UTC\.$/,
  ],
  [
    'unusable-beside',
    'a wrong key in Redis',
    {
      sources: [
        source('redis', { candidates: [broken('the key is wrong')] }),
        source('manager', { candidates: [best()] }),
      ],
    },
    /redis has one that cannot be served \(the key is wrong\)\.$/,
  ],
  [
    'source-down-beside',
    'the manager serves',
    { sources: [down('redis'), source('manager', { candidates: [best()] })] },
    /; redis is unavailable: it does not answer\.$/,
  ],
  [
    'rsa-clients-left-out',
    'no RSA one',
    {
      sources: [source('redis', { candidates: [best(leaf('a', { key: 'EC P-256' }))] })],
      clients: [
        modern(leaf('a', { key: 'EC P-256' })),
        { client: 'RSA only', tookMs: 3, leaf: DEFAULT, isDefault: true },
      ],
    },
    /its key is EC P-256, and clients that can use RSA alone are served the default certificate, as no source has an RSA one\.$/,
  ],
  [
    'rsa-clients-left-out',
    'one that came later',
    {
      sources: [
        source('redis', { candidates: [best(leaf('a', { key: 'EC P-256' }))] }),
        source('manager', { candidates: [{ leaf: leaf('f'), verdict: 'best' }] }),
      ],
      clients: [modern(leaf('a', { key: 'EC P-256' })), { client: 'RSA only', tookMs: 3, failure: 'alert' }],
    },
    /get no handshake, as it is remembered that there was no RSA one; manager has one now\.$/,
    'expire',
  ],
];
