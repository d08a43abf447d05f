import { expect } from 'chai';
import { whyText } from '../../../lib/cli/commands/why-text.js';
import { diagnose } from '../../../lib/diagnosis/diagnose.js';
import {
  absent,
  best,
  broken,
  cached,
  DEFAULT,
  factsOf,
  kept,
  LEAF,
  modern,
  OLD,
  orders,
  source,
} from '../diagnosis/facts.js';

/** Something of everything that there can be to say. */
const FACTS = {
  ...factsOf({
    asked: 'WWW.A.test',
    workers: [
      { pid: 7, isPrimaryLate: false, cached: cached() },
      { pid: 8, isPrimaryLate: true, negative: absent },
      { pid: 9, failure: 'no answer within 1500 ms' },
      { pid: 10, isPrimaryLate: false },
    ],
    primary: {
      ...kept(OLD, { state: 'stale', leftMs: 0, isProvisional: true }),
      negative: { kind: 'error', ageMs: 1_000, leftMs: 4_000, reason: 'redis: it is down' },
      lookUp: { forMs: 1_500, isOrder: false },
      isPurged: true,
    },
    sources: [
      source('redis', {
        candidates: [best(), broken('the private key does not belong to the certificate')],
        remarks: [{ kind: 'other style', text: 'it holds d1:www.a.test' }],
        skipped: { forMs: 3_000, reason: 'it was down' },
      }),
      source('manager', {
        tookMs: 1_200,
        budget: { left: 3, waiting: 2, perSecond: 5 },
        orders: orders({
          allowedBy: '*.a.test',
          heldMs: 600_000,
          lastFailure: { message: 'no way', isRefusal: true, agoMs: 5_000 },
          ask: { says: 'yes' },
        }),
      }),
    ],
    wildcard: { name: '*.a.test', primary: { isPurged: false }, sources: [source('redis')] },
    clients: [
      modern(LEAF),
      { client: 'TLS 1.2', tookMs: 4, protocol: 'TLSv1.2', leaf: DEFAULT, isDefault: true },
      { client: 'RSA only', tookMs: 2, failure: 'alert' },
    ],
  }),
  route: { pattern: '*.a.test', backends: ['http://127.0.0.1:8080', 'tcp 127.0.0.1:9'] },
};

const GOLDEN = `www.a.test (asked for as WWW.A.test) at 2026-06-01 12:00 UTC

route
  *.a.test → http://127.0.0.1:8080, tcp 127.0.0.1:9

workers (their LRU)
  process 7: aaaaaaaaaaaaaaaa from redis, 1 s old, fresh for 50 s more
  process 8: remembers that there is none, for 1 min now and 9 min more (it goes on without the primary, which is late)
  process 9: could not be asked: no answer within 1500 ms
  process 10: nothing

shared cache
  bbbbbbbbbbbbbbbb from redis, 1 s old, stale
  bbbbbbbbbbbbbbbb RSA 2048 for www.a.test, by Test CA, until 2026-07-01 12:00 UTC
  it is kept for want of a better one
  remembers a failure (redis: it is down), for 1 s now and 4 s more
  a look-up has been under way for 1.5 s
  it was expired by hand, and the manager has not had a certificate since

source redis
  found (2 ms)
  aaaaaaaaaaaaaaaa RSA 2048 for www.a.test, by Test CA, until 2026-07-01 12:00 UTC: best
  bbbbbbbbbbbbbbbb RSA 2048 for www.a.test, by Test CA, until 2026-07-01 12:00 UTC: unusable, the private key does not belong to the certificate
  it holds d1:www.a.test
  look-ups have skipped it for 3 s: it was down

source manager
  absent (1.2 s)
  3 of 5 requests a second left, 2 waiting
  orders: allowed by *.a.test
  --autocert-ask says yes
  held off for 10 min more
  the last order failed 5 s ago: no way

wildcard *.a.test: shared cache
  nothing

source redis
  absent (2 ms)

served now
  modern    aaaaaaaaaaaaaaaa RSA 2048 for www.a.test, by Test CA, until 2026-07-01 12:00 UTC                                TLSv1.3 3 ms
  TLS 1.2   the default certificate, eeeeeeeeeeeeeeee RSA 2048 for default.invalid, by Test CA, until 2026-07-01 12:00 UTC  TLSv1.2 4 ms
  RSA only  no handshake: alert                                                                                             2 ms

1 of 4 workers does not answer (process 9): connections that it has accepted stand still until it is ended and replaced, which happens by itself within seconds; www.a.test is served its own certificate by the others.
`;

describe('the report of why, for people', () => {
  it('has all facts in the order of a look-up, then the sentence and what mends it', () => {
    expect(whyText({ ...FACTS, diagnosis: diagnose(FACTS) })).to.equal(GOLDEN);
  });

  it('is short where there is little to say', () => {
    const facts = factsOf({ asked: '', clients: [modern(DEFAULT)] });
    expect(whyText({ ...facts, diagnosis: diagnose(facts) })).to
      .equal(`(a client without a server name) at 2026-06-01 12:00 UTC

route
  none: the information page, or 404

served now
  modern  the default certificate, eeeeeeeeeeeeeeee RSA 2048 for default.invalid, by Test CA, until 2026-07-01 12:00 UTC  TLSv1.3 3 ms

A client that sends no server name is served the default certificate: without a name no other one can be looked up.
→ If such clients matter, give the default certificate that they should see with --default-cert and --default-key.
`);
  });

  it('has a row for each of several listeners', () => {
    const at = (listener: string) => modern(LEAF, { listener });
    const facts = {
      ...factsOf({ clients: [at('127.0.0.1:8443')], otherListeners: [at('unix:/tls.sock')] }),
      listenersLeftOut: 2,
    };
    const text = whyText({ ...facts, diagnosis: diagnose(facts) });
    const rows = text.slice(text.indexOf('served now')).split('\n').slice(1, 4);
    expect(rows[0]).to.match(/^ {2}modern on 127\.0\.0\.1:8443 {2}aaaa/);
    expect(rows[1]).to.match(/^ {2}modern on unix:\/tls\.sock {2}aaaa/);
    expect(rows[2]).to.equal('  2 more of the listeners were not asked');
  });

  it('says why there was no handshake', () => {
    const facts = {
      ...factsOf({ asked: '*.a.test', clients: [] }),
      noHandshake: 'a wildcard is no server name',
    };
    expect(whyText({ ...facts, diagnosis: diagnose(facts) })).to.include(
      'served now\n  no handshake was made: a wildcard is no server name\n',
    );
  });
});
