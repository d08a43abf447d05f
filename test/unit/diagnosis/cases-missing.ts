/** Cases where a client is served the default, as nobody has one that could be served. */
import { WOULD_ORDER } from '../../../lib/diagnosis/report.js';
import { byDefault, hasIt, none, ordering, type Case } from './case.js';
import { absent, broken, down, modern, orders, source } from './facts.js';

export const MISSING: readonly Case[] = [
  [
    'ordering',
    'under way',
    {
      sources: ordering({ stage: 'running' }),
      primary: { lookUp: { forMs: 3_000, isOrder: true }, isPurged: false },
      clients: byDefault,
    },
    /is being ordered from the manager, for 3 s now\.$/,
  ],
  [
    'ordering',
    'queued',
    { sources: ordering({ stage: 'queued' }), clients: byDefault },
    /waits in the queue of orders\.$/,
  ],
  [
    'key-mismatch',
    'in Redis',
    {
      sources: [
        source('redis', { candidates: [broken('the private key does not belong to the certificate')] }),
      ],
      clients: byDefault,
    },
    /redis has a certificate of www\.a\.test that cannot be served: the private key does not belong/,
    'expire',
  ],
  [
    'name-not-covered',
    'in the directory',
    {
      sources: [
        source('directory', { candidates: [broken('the certificate is not for this name but for b.test')] }),
      ],
      clients: byDefault,
    },
    /but for b\.test\.$/,
  ],
  [
    'unusable',
    'cut off',
    {
      sources: [source('redis', { candidates: [broken('a certificate of the chain is cut off')] })],
      clients: byDefault,
    },
    /cannot be served: a certificate of the chain is cut off\.$/,
    'expire',
  ],
  [
    'purged',
    'the authority has none',
    {
      sources: [hasIt, source('manager')],
      primary: { negative: absent, isPurged: true },
      clients: byDefault,
    },
    /was expired by hand, and since then the manager has no certificate of it; what redis has counts as withdrawn\.$/,
    'expire',
  ],
  [
    'unreadable',
    'a file',
    {
      sources: [
        source('directory', {
          said: 'unavailable',
          scope: 'name',
          remarks: [{ kind: 'unreadable', text: 'x.pem: no' }],
        }),
      ],
      clients: byDefault,
    },
    /has something that cannot be used for www\.a\.test: x\.pem: no\.$/,
  ],
  [
    'source-down',
    'and the manager says absent',
    {
      sources: [down('redis', { skipped: { forMs: 4_000, reason: 'down' } }), source('manager')],
      clients: byDefault,
    },
    /redis is unavailable \(for 4 s\), and nothing of www\.a\.test is cached: it does not answer; manager has none\.$/,
  ],
  [
    'half-an-entry',
    'a part is missing',
    { sources: [down('redis', { scope: 'name', reason: 'c:1 is missing' })], clients: byDefault },
    /redis cannot tell for www\.a\.test: c:1 is missing\.$/,
    'expire',
  ],
  [
    'half-an-entry',
    'the manager fails for it alone, and could be asked for an order',
    {
      sources: [down('manager', { scope: 'name', reason: 'it answered 500', orders: orders() })],
      clients: [],
      noHandshake: WOULD_ORDER,
    },
    /manager cannot tell for www\.a\.test: it answered 500; the next handshake that asks for it may start an order\.$/,
    'expire',
  ],
  [
    'half-an-entry',
    'the manager fails for it alone, and orders nothing',
    {
      sources: [
        down('manager', { scope: 'name', reason: 'it answered 500', orders: orders({ isEnabled: false }) }),
      ],
      clients: byDefault,
    },
    /manager cannot tell for www\.a\.test: it answered 500\.$/,
    'expire',
  ],
  [
    'wrong-style',
    'the other style',
    {
      sources: [source('redis', { remarks: [{ kind: 'other style', text: 'it holds d1:www.a.test' }] })],
      clients: byDefault,
    },
    /where it is looked for: it holds d1:www\.a\.test\.$/,
    'reload',
  ],
  [
    'manager-unable',
    'no account',
    { sources: ordering({ unable: 'no account.' }), clients: byDefault },
    /cannot order any certificate of www\.a\.test or of another name; it says: no account\.$/,
  ],
  [
    'refused',
    'with a hold-off',
    {
      sources: ordering({
        heldMs: 600_000,
        lastFailure: { message: 'no way.', isRefusal: true, agoMs: 5_000 },
      }),
      clients: byDefault,
    },
    /: 5 s ago the manager refused the order of www\.a\.test, and said: no way; it is ordered again in 10 min at the earliest\.$/,
    'expire',
  ],
  [
    'order-failed',
    'without one',
    {
      sources: ordering({ lastFailure: { message: 'it answered 500', isRefusal: false, agoMs: 5_000 } }),
      clients: byDefault,
    },
    /the order of www\.a\.test failed: it answered 500; the next handshake orders it again\.$/,
    'expire',
  ],
  [
    'ordering-elsewhere',
    'by somebody',
    { sources: ordering({ activeElsewhereMs: 2_000 }), clients: byDefault },
    /is asked again in 2 s\.$/,
  ],
  [
    'held-off',
    'after a success',
    { sources: ordering({ heldMs: 60_000 }), clients: byDefault },
    /is not ordered again for 1 min/,
    'expire',
  ],
  [
    'not-allowed',
    'no pattern',
    { sources: ordering({ isNotAllowed: true, obstacle: 'no' }), clients: byDefault },
    /no pattern of --autocert-allow has it\.$/,
    'reload',
  ],
  [
    'not-orderable',
    'what it is',
    { sources: ordering({ obstacle: 'it has an underscore' }), clients: byDefault },
    /it is not ordered: it has an underscore\.$/,
  ],
  [
    'not-orderable',
    'somebody says no',
    { sources: ordering({ ask: { says: 'no' } }), clients: byDefault },
    /--autocert-ask says no\.$/,
  ],
  [
    'not-orderable',
    'nobody answers',
    { sources: ordering({ ask: { says: 'nothing', failure: 'it is down' } }), clients: byDefault },
    /--autocert-ask gave no verdict: it is down\.$/,
  ],
  [
    'budget-empty',
    'an order would need its turn, too',
    {
      sources: [source('manager', { orders: orders(), budget: { left: 0, waiting: 1, perSecond: 2 } })],
      clients: byDefault,
    },
    /none has one yet\.$/,
    'reload',
  ],
  [
    'will-be-ordered',
    'by the next',
    { sources: ordering({}), clients: [] },
    /the next handshake that asks for it starts an order/,
    'peter-sslers-proxy warm FILE',
  ],
  [
    'will-be-ordered',
    'when what is remembered has ended',
    { sources: ordering({}), primary: { negative: absent, isPurged: false }, clients: byDefault },
    /which is remembered for 9 min more; the next handshake after that starts an order/,
    'expire',
  ],
  [
    'will-be-made',
    'by the internal authority',
    { sources: [source('ca', { remarks: [{ kind: 'would mint', text: 'it makes one' }] })], clients: [] },
    /the internal authority would mint one: it makes one\.$/,
  ],
  [
    'absent',
    'everywhere',
    { sources: none, clients: byDefault },
    /no source has a certificate of www\.a\.test \(asked: redis, manager\)\.$/,
    'expire',
  ],
  [
    'absent',
    'and the handshake is refused',
    {
      sources: none,
      clients: [modern(undefined, { failure: 'tlsv1 unrecognized name' })],
      settings: { rejectsUnknownNames: true },
    },
    /^The handshake is refused \(--unknown-name reject\): no source/,
    'expire',
  ],
  [
    'absent',
    'no source for an address',
    { sources: [], clients: [] },
    /no source that is configured can have a certificate/,
  ],
];
