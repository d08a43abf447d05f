/**
 * What crosses the bus when an LRU entry lapses: an unchanged certificate is not sent again. Seen from an embedder's
 * primary, which can listen to what its workers are sent.
 */
import { expect } from 'chai';
import { startEmbedder } from '../../support/embedder.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

/** Prints the kind of every answer to `resolve`. */
const LISTEN_IN = `
  cluster.on('fork', (worker) => {
    const questions = new Set();
    worker.on('message', (message) => {
      if (message.op === 'resolve') questions.add(message.id);
    });
    const send = worker.send;
    worker.send = function (message, ...rest) {
      if (message.kind === 'result' && questions.delete(message.id)) {
        console.log('answered', message.result.value.kind, JSON.stringify(message).includes('PRIVATE KEY'));
      }
      return send.call(this, message, ...rest);
    };
  });
`;

describe('A lapsed LRU entry', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it('whose certificate is unchanged is answered `unchanged`, without the certificate; a new one is sent', async () => {
    const old = await stage.ca.issue(['a.test']);
    const renewed = await stage.ca.issue(['a.test']);
    await prime2(stage.redis, 'a.test', old);
    await using program = await startEmbedder(
      {
        ...{ 'redis-strategy': 2, 'redis-url': stage.redis.url },
        ...{ 'lru-cache-duration': 0.1, 'cert-cache-duration': 0.5 },
      },
      '',
      {},
      { before: LISTEN_IN },
    );
    const answers = (): string[] => program.stdout.split('\n').filter((line) => line.startsWith('answered'));
    await visit(program, 'a.test');
    // Long enough for the primary's entry to lapse too: it looks the certificate up again, and finds the same.
    await program.logged('certificate found', { name: 'a.test' });
    await eventuallySees(
      'a lapsed entry is asked about in both caches',
      async () => {
        expect((await visit(program, 'a.test')).fingerprint).to.equal(fingerprintOf(old));
        return program.log.filter(({ msg }) => msg === 'certificate found').length;
      },
      (found) => found >= 2,
    );
    const [first, ...later] = answers();
    expect(first).to.equal('answered found true');
    expect(later).to.not.be.empty;
    expect(new Set(later)).to.deep.equal(new Set(['answered unchanged false']));

    await prime2(stage.redis, 'a.test', renewed);
    await eventuallyServes(program, 'a.test', renewed);
    expect(answers().filter((line) => line === 'answered found true')).to.have.length(2);
  });
});
