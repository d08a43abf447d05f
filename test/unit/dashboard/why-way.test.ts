import { expect } from 'chai';
import { whyWay } from '../../../lib/dashboard/why-way.js';
import type { CauseCode, WhyReport } from '../../../lib/diagnosis/report.js';
import { Play } from '../../support/dashboard-play.js';

const play = new Play('calm');
const endOf = (report: WhyReport): string | undefined => whyWay(report).find(({ isEnd }) => isEnd)?.id;
const withCode = (report: WhyReport, code: CauseCode): WhyReport => ({
  ...report,
  diagnosis: { ...report.diagnosis, code },
});

describe('The way of one name', () => {
  it('ends where its certificate is found first', () => {
    const report = play.why('a.test');
    expect(endOf(report)).to.equal('lru');
    const notInWorkers = { ...report, workers: [{ pid: 1, isPrimaryLate: false }] };
    expect(endOf(notInWorkers)).to.equal('cache');
    const primary = { isPurged: false };
    expect(endOf({ ...notInWorkers, facts: { ...report.facts!, primary } })).to.equal('source-0');
  });

  for (const [code, end] of [
    ['no-name', 'client'],
    ['handshake-failed', 'client'],
    ['listener-fails', 'client'],
    ['worker-silent', 'lru'],
    ['primary-late', 'cache'],
    ['gone', 'lru'],
    ['worker-has-negative', 'lru'],
    ['negative-cached', 'cache'],
    ['not-allowed', 'source-1'],
    ['absent', 'default'],
  ] as const) {
    it(`ends at ${end} for ${code}`, () =>
      expect(endOf(withCode(play.why('missing.test'), code))).to.equal(end));
  }

  it('ends at the source that cannot tell', () => {
    const report = play.why('missing.test');
    const [redis, manager] = report.facts!.sources;
    const sources = [{ ...redis!, said: 'unavailable' as const, reason: 'timeout' }, manager!];
    expect(endOf(withCode({ ...report, facts: { ...report.facts!, sources } }, 'source-down'))).to.equal(
      'source-0',
    );
  });

  it('says of other listeners what a client got there', () => {
    const report = play.why('a.test');
    const clients = report.clients.map((client) => ({ ...client, listener: '127.0.0.1:1' }));
    const otherListeners = [{ client: 'modern' as const, tookMs: 1, listener: 'unix:/x', failure: 'alert' }];
    const served = whyWay({ ...report, clients, otherListeners }).at(-1);
    expect(served?.notes[0]).to.match(/^modern on 127\.0\.0\.1:1, /);
    expect(served?.notes.at(-1)).to.equal('modern on unix:/x: no handshake, alert');
  });

  it('says dates as the sentence above it does: in UTC', () => {
    const notes = whyWay(play.why('a.test')).flatMap((station) => station.notes);
    const dated = notes.filter((note) => note.includes('until'));
    expect(dated).to.have.length.above(2);
    for (const note of dated) expect(note).to.match(/until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  });

  it('is dashed after its end', () => {
    const stations = whyWay(withCode(play.why('missing.test'), 'negative-cached'));
    expect(stations.map(({ edge }) => edge?.isDashed)).to.deep.equal([false, false, false, true, true, true]);
  });

  it('has the sources of the wildcard too', () => {
    const report = play.why('missing.test');
    const wildcard = { ...report.facts!, name: '*.test' };
    expect(whyWay({ ...report, wildcard }).map(({ id }) => id)).to.include.members([
      'source-1',
      'wildcard-1',
    ]);
  });

  it('says once what all clients got', () => {
    const last = whyWay(play.why('a.test')).at(-1);
    expect(last?.notes).to.have.length(1);
    expect(last?.notes[0]).to.match(/^modern, RSA only and TLS 1.2: EC P-256, until/);
  });
});
