import { expect } from 'chai';
import { PemCache } from '../../../lib/caches/pem-cache.js';
import { bundleOf, type CertificateBundle, type CertificateHalf } from '../../../lib/domain/certificate.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { ManualTime } from '../../support/manual-time.js';

const HOUR_MS = 3_600_000;
const MANY_BYTES = 1_000_000;
const name = (text: string): ServerName => text as ServerName;
const A = name('a.test');
const B = name('b.test');
const C = name('c.test');

const block = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;

/** Stand-ins: the cache reads no certificate, it only takes the chain apart. */
function half(time: ManualTime, changes: Partial<CertificateHalf> = {}): CertificateHalf {
  return {
    chainPem: block('leaf') + block('intermediate'),
    keyPem: 'key\n',
    keyClass: 'ecdsa',
    fingerprint: 'f'.repeat(64),
    leafFingerprint: '1'.repeat(64),
    notBeforeMs: time.nowMs - HOUR_MS,
    notAfterMs: time.nowMs + HOUR_MS,
    ...changes,
  };
}

interface BundleChanges extends Partial<Omit<CertificateHalf, 'chainPem'>> {
  readonly chain?: string;
}

function bundle(time: ManualTime, { chain, ...changes }: BundleChanges = {}): CertificateBundle {
  return bundleOf([
    half(time, { ...(chain !== undefined && { chainPem: block('leaf') + chain }), ...changes }),
  ]);
}

function openStage(maxBytes = MANY_BYTES) {
  const time = new ManualTime();
  const evicted: string[] = [];
  const cache = new PemCache({ maxBytes, clock: time.clock, onEvictFresh: (lost) => evicted.push(lost) });
  const state = (of: ServerName) => cache.get(of)?.state;
  return { time, evicted, cache, state };
}

/** What one entry takes, and what a second one with the same chain adds. */
function sizes(chain?: string) {
  const { cache, time } = openStage();
  cache.set(A, bundle(time, chain === undefined ? {} : { chain }), 'redis', 1000);
  const first = cache.stats().bytes;
  cache.set(B, bundle(time, chain === undefined ? {} : { chain }), 'redis', 1000);
  return { first, second: cache.stats().bytes - first };
}

describe('PemCache', () => {
  describe('keeps two halves, of which one ends before the other,', () => {
    /** The ECDSA half ends in an hour, the RSA one in two. */
    function store() {
      const parts = openStage();
      const { cache, time } = parts;
      const [ecdsa, rsa] = [
        half(time, { fingerprint: 'e'.repeat(64), keyPem: 'one\n' }),
        half(time, {
          ...{ fingerprint: 'a'.repeat(64), keyPem: 'two\n', keyClass: 'rsa' },
          notAfterMs: time.nowMs + 2 * HOUR_MS,
        }),
      ];
      cache.set(A, bundleOf([ecdsa, rsa]), 'redis', 10 * HOUR_MS);
      return { ...parts, ecdsa, rsa };
    }

    it('together as long as both are valid', () => {
      const { cache, time, ecdsa, rsa } = store();
      time.nowMs += HOUR_MS - 1;
      const hit = cache.get(A);
      expect(hit?.state).to.equal('fresh');
      expect(hit?.entry.certificate).to.deep.equal(bundleOf([ecdsa, rsa]));
    });

    it('then the other one alone, under its own fingerprint, to be looked up afresh', () => {
      const { cache, time, rsa } = store();
      time.nowMs += HOUR_MS;
      const left = { certificate: bundleOf([rsa]), origin: 'redis', freshForMs: 0, isProvisional: false };
      expect(cache.get(A)).to.deep.equal({ state: 'retained', entry: left });
      expect(left.certificate.fingerprint).to.equal(rsa.fingerprint);
      expect([...cache.entries()]).to.deep.equal([[A, { state: 'retained', entry: left }]]);
      expect(cache.freshNames(10)).to.deep.equal([]);
    });

    it('and nothing when both have ended', () => {
      const { cache, time } = store();
      time.nowMs += 2 * HOUR_MS;
      expect(cache.get(A)).to.equal(undefined);
      expect(cache.stats()).to.deep.equal({ entries: 0, bytes: 0 });
    });

    it('by the date, not by the clock for durations', () => {
      const { cache, time, rsa } = store();
      time.dateOffsetMs = HOUR_MS;
      expect(cache.get(A)?.entry.certificate.pairs).to.deep.equal([rsa]);
    });
  });

  it('gives back the certificate that was stored, and where it came from', () => {
    const { cache, time } = openStage();
    const certificate = bundleOf([
      half(time, { chainPem: block('ecdsa') + block('x1') + block('root'), keyPem: 'one\n' }),
      half(time, { chainPem: block('rsa'), keyPem: 'two\n', keyClass: 'rsa' }),
    ]);
    expect(cache.set(A, certificate, 'manager', 1000)).to.equal(true);
    expect(cache.get(A)).to.deep.equal({
      entry: { certificate, origin: 'manager', freshForMs: 1000, isProvisional: false },
      state: 'fresh',
    });
    expect(cache.get(B)).to.equal(undefined);
  });

  describe('the life of an entry', () => {
    // Stored at 0 with a freshness of 600 s; the times are in seconds.
    const cases = [
      { title: 'is fresh up to its duration', notBefore: -10, notAfter: 9000, at: 599, state: 'fresh' },
      {
        title: 'is retained from its duration on',
        notBefore: -10,
        notAfter: 9000,
        at: 600,
        state: 'retained',
      },
      {
        title: 'is fresh to the end of its validity',
        notBefore: -10,
        notAfter: 300,
        at: 299,
        state: 'fresh',
      },
      { title: 'disappears at its notAfter', notBefore: -10, notAfter: 300, at: 300, state: undefined },
      {
        title: 'disappears at its notAfter when retained',
        notBefore: -10,
        notAfter: 900,
        at: 900,
        state: undefined,
      },
      { title: 'is fresh though it came expired', notBefore: -900, notAfter: 0, at: 599, state: 'fresh' },
      {
        title: 'is retained long after it came expired',
        notBefore: -900,
        notAfter: -1,
        at: 9999,
        state: 'retained',
      },
      { title: 'is fresh though it came too early', notBefore: 1, notAfter: 300, at: 400, state: 'fresh' },
      {
        title: 'is retained after it came too early',
        notBefore: 1,
        notAfter: 300,
        at: 700,
        state: 'retained',
      },
    ];
    for (const { title, notBefore, notAfter, at, state: expected } of cases) {
      it(title, () => {
        const { cache, time, state } = openStage();
        const notBeforeMs = time.nowMs + notBefore * 1000;
        const notAfterMs = time.nowMs + notAfter * 1000;
        cache.set(A, bundle(time, { notBeforeMs, notAfterMs }), 'redis', 600_000);
        time.nowMs += at * 1000;
        const listed = [...cache.entries()].map(([listedName, hit]) => [listedName, hit.state]);
        expect(listed).to.deep.equal(expected === undefined ? [] : [[A, expected]]);
        expect(cache.freshNames(10)).to.deep.equal(expected === 'fresh' ? [A] : []);
        expect(state(A)).to.equal(expected);
        expect(cache.stats().entries).to.equal(expected === undefined ? 0 : 1);
      });
    }

    it('is not prolonged by use', () => {
      const { cache, time, state } = openStage();
      cache.set(A, bundle(time), 'redis', 1000);
      time.nowMs += 999;
      expect(state(A)).to.equal('fresh');
      time.nowMs += 1;
      expect(state(A)).to.equal('retained');
    });
  });

  it('forgets one name on delete, whatever its state', () => {
    const { cache, time, state } = openStage();
    cache.set(A, bundle(time), 'redis', 1000);
    cache.set(B, bundle(time), 'redis', 1);
    time.nowMs += 10;
    expect([cache.delete(A), cache.delete(B), cache.delete(C)]).to.deep.equal([true, true, false]);
    expect([state(A), state(B)]).to.deep.equal([undefined, undefined]);
    expect(cache.stats()).to.deep.equal({ entries: 0, bytes: 0 });
  });

  it('retains everything on a soft flush and drops everything on a hard one', () => {
    const { cache, time, state, evicted } = openStage();
    cache.set(A, bundle(time), 'redis', 1000);
    cache.set(B, bundle(time, { notAfterMs: time.nowMs - 1 }), 'redis', 1000);
    cache.flush({ hard: false });
    expect([state(A), state(B), cache.freshNames(9).length]).to.deep.equal(['retained', 'retained', 0]);
    cache.flush({ hard: true });
    expect(state(A)).to.equal(undefined);
    expect(cache.stats()).to.deep.equal({ entries: 0, bytes: 0 });
    expect(evicted).to.deep.equal([]);
  });

  it('lists fresh names, the latest first, up to a limit', () => {
    const { cache, time } = openStage();
    for (const each of [A, B, C]) cache.set(each, bundle(time), 'redis', 1000);
    expect(cache.freshNames(2)).to.deep.equal([C, B]);
    expect(cache.freshNames(0)).to.deep.equal([]);
  });

  describe('its bound', () => {
    it('counts a shared chain once', () => {
      const chain = block('x'.repeat(5000));
      const { first, second } = sizes(chain);
      expect(first - second).to.be.greaterThan(chain.length);
      expect(second).to.be.lessThan(1000);
    });

    it('counts a chain as long as one entry has it, whichever came first', () => {
      const chain = block('x'.repeat(5000));
      const { cache, time } = openStage();
      cache.set(A, bundle(time, { chain }), 'redis', 1000);
      cache.set(B, bundle(time, { chain }), 'redis', 1000);
      cache.delete(A);
      expect(cache.stats().bytes).to.equal(sizes(chain).first);
      cache.set(B, bundle(time, { chain: '' }), 'redis', 1000);
      expect(cache.stats().bytes).to.be.lessThan(1000);
    });

    it('evicts the least recently used entry, and tells of it if it was fresh', () => {
      const { first, second } = sizes();
      const { cache, time, state, evicted } = openStage(first + second);
      cache.set(A, bundle(time), 'redis', 1000);
      cache.set(B, bundle(time), 'redis', 5000);
      cache.get(A);
      cache.set(C, bundle(time), 'redis', 5000);
      expect([state(A), state(B), state(C)]).to.deep.equal(['fresh', undefined, 'fresh']);
      expect(evicted).to.deep.equal([B]);
      time.nowMs += 1000;
      cache.get(C);
      cache.set(B, bundle(time), 'redis', 5000);
      expect([state(A), evicted]).to.deep.equal([undefined, [B]]);
    });

    it('makes room for chains too, and never holds more than its bound', () => {
      const chains = ['1', '2', '3', '4'].map((digit) => block(digit.repeat(3000)));
      const { cache, time } = openStage(8000);
      for (let round = 0; round < 20; round += 1) {
        const chain = chains[round % 4] ?? '';
        cache.set(name(`n${round % 7}.test`), bundle(time, { chain }), 'redis', 1000);
        expect(cache.stats().bytes).to.be.lessThan(8001);
        expect(cache.stats().entries).to.be.greaterThan(0);
      }
      for (let i = 0; i < 7; i += 1) cache.delete(name(`n${i}.test`));
      expect(cache.stats()).to.deep.equal({ entries: 0, bytes: 0 });
    });

    it('does not keep an entry larger than all of it, and tells of it', () => {
      const { cache, time, state, evicted } = openStage(3000);
      cache.set(A, bundle(time), 'redis', 1000);
      cache.set(B, bundle(time), 'redis', 1000);
      expect(cache.set(A, bundle(time, { chain: block('x'.repeat(3000)) }), 'redis', 1000)).to.equal(false);
      expect([state(A), state(B), evicted]).to.deep.equal([undefined, 'fresh', [A]]);
      cache.delete(B);
      expect(cache.stats()).to.deep.equal({ entries: 0, bytes: 0 });
    });
  });

  describe('resize', () => {
    it('keeps entries, their states and their order of use', () => {
      const { first, second } = sizes();
      const { cache, time, state, evicted } = openStage();
      cache.set(A, bundle(time), 'redis', 1000);
      cache.set(B, bundle(time), 'redis', 10);
      cache.set(C, bundle(time), 'redis', 1000);
      time.nowMs += 10;
      cache.get(A);
      const before = cache.stats();
      cache.resize(MANY_BYTES * 2);
      expect(cache.stats()).to.deep.equal(before);
      expect([...cache.entries()].map(([each]) => each)).to.deep.equal([A, C, B]);
      cache.resize(first + second);
      expect([state(A), state(B), state(C), evicted]).to.deep.equal(['fresh', undefined, 'fresh', []]);
      cache.resize(first);
      expect([state(A), state(C), evicted]).to.deep.equal([undefined, 'fresh', [A]]);
      expect(cache.stats()).to.deep.equal({ entries: 1, bytes: first });
    });

    it('drops an entry that no longer fits at all', () => {
      const { cache, time, evicted } = openStage();
      cache.set(A, bundle(time), 'redis', 1000);
      cache.resize(100);
      expect(cache.stats()).to.deep.equal({ entries: 0, bytes: 0 });
      expect(evicted).to.deep.equal([A]);
    });
  });

  describe('expiries', () => {
    it('are those of the halves that end soonest, and have not ended', () => {
      const { cache, time } = openStage();
      const ends = [5, 3, 9, 4].map((hours) => time.nowMs + hours * HOUR_MS);
      ends.forEach((notAfterMs, i) =>
        cache.set(name(`n${i}.test`), bundle(time, { notAfterMs }), 'redis', 1000),
      );
      const [a, b, , d] = ends;
      expect(cache.expiries(2)).to.deep.equal({ soonestMs: [b, d], outdated: 0 });
      time.nowMs += 3 * HOUR_MS;
      expect(cache.expiries(2)).to.deep.equal({ soonestMs: [d, a], outdated: 0 });
    });

    it('are not of what was outside its dates when it came: that is counted', () => {
      const { cache, time } = openStage();
      cache.set(A, bundle(time, { notAfterMs: time.nowMs - 1 }), 'redis', 1000);
      cache.set(B, bundle(time), 'redis', 1000);
      expect(cache.expiries(10)).to.deep.equal({ soonestMs: [time.nowMs + HOUR_MS], outdated: 1 });
    });
  });

  it('tells a person what it has of a name, and that is no use of it', () => {
    const { cache, time } = openStage();
    expect(cache.inspect(A)).to.equal(undefined);
    const found = bundle(time);
    cache.set(A, found, 'redis', 1000);
    time.nowMs += 400;
    const told = {
      tier: 'redis',
      fingerprints: ['1'.repeat(64)],
      notAfterMs: found.notAfterMs,
      // What stands in for certificates here cannot be parsed.
      leaves: [],
      isProvisional: false,
    };
    expect(cache.inspect(A)).to.deep.equal({ state: 'fresh', ageMs: 400, leftMs: 600, ...told });
    time.nowMs += 700;
    cache.noteAbsent(A);
    time.nowMs += 5;
    expect(cache.inspect(A)).to.deep.equal({
      ...{ state: 'stale', ageMs: 1105, leftMs: 0, absentForMs: 5 },
      ...told,
    });
    expect(JSON.stringify(cache.inspect(A))).not.to.contain('key\n');
  });

  it('lists the certificates that end soon, and those that are outside their dates', () => {
    const { cache, time } = openStage();
    const { nowMs } = time;
    cache.set(A, bundle(time, { notAfterMs: nowMs + 5_000 }), 'redis', 1000);
    cache.set(B, bundle(time, { notAfterMs: nowMs + 3_000 }), 'manager', 1000);
    cache.set(C, bundle(time, { notAfterMs: nowMs - 1_000 }), 'redis', 1000);
    expect(cache.endingBetween(nowMs, nowMs + 5_000)).to.deep.equal([
      { name: B, tier: 'manager', notAfterMs: nowMs + 3_000 },
      { name: A, tier: 'redis', notAfterMs: nowMs + 5_000 },
    ]);
    expect(cache.endingBetween(nowMs, nowMs + 2_999)).to.deep.equal([]);
    expect(cache.outdated(nowMs)).to.deep.equal([{ name: C, tier: 'redis', notAfterMs: nowMs - 1_000 }]);
    const later = { notBeforeMs: nowMs + 10_000, notAfterMs: nowMs + 20_000 };
    cache.set(C, bundle(time, later), 'redis', 1000);
    expect(cache.outdated(nowMs)).to.deep.equal([{ name: C, tier: 'redis', ...later }]);
  });
});
