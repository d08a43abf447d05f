/**
 * "It serves the best certificate that any source has, within the documented time, whatever fails."
 *
 * 200 names over a directory, Redis and the manager change at random, from a seed, while clients connect and things fail. An
 * oracle that knows what each source held when says of every handshake which certificates were right.
 *
 *     TRUTH_SECONDS=60 TRUTH_SEED=7 npx mocha test/slow/truth.test.ts
 */
import { expect } from 'chai';
import { ADMIN_FLAGS } from '../support/admin.js';
import { makeTempDir } from '../support/certificates.js';
import { handshake } from '../support/client.js';
import { startProgram } from '../support/program.js';
import { openStage } from '../support/stage.js';
import { makeSteppedClock } from '../support/stepped-clock.js';
import { makeStuff, type Stuff } from '../support/truth-certificates.js';
import { TruthClients } from '../support/truth-clients.js';
import { DURATIONS } from '../support/truth-durations.js';
import { History } from '../support/truth-history.js';
import { breakerSpans, freshStarts, skippedSpans } from '../support/truth-log.js';
import { Oracle } from '../support/truth-oracle.js';
import { makePlan, type Change, type Plan } from '../support/truth-plan.js';
import { describeWrong, summarise } from '../support/truth-report.js';
import { TruthRun } from '../support/truth-run.js';
import { pause, TruthStores } from '../support/truth-stores.js';

const SEED = Number(process.env['TRUTH_SEED'] ?? 1);
const SECONDS = Number(process.env['TRUTH_SECONDS'] ?? 12);
const NAMES = Number(process.env['TRUTH_NAMES'] ?? 200);
/** After the last change: it is to be seen. */
const SETTLE_MS = 4_000;
const CONCURRENT_OPENSSL = 4;

const FLAGS = [
  ...['--workers', '2', '--log-level', 'info', '--miss-rate', '10000', '--lru-maxitems', '1000'],
  ...['--cert-cache-duration', DURATIONS.certCache, '--lru-cache-duration', DURATIONS.lruCache],
  ...['--error-cache-duration', DURATIONS.errorCache, '--absent-grace', DURATIONS.absentGrace],
  ...['--lookup-timeout', DURATIONS.lookupTimeout, '--refresh-timeout', DURATIONS.refreshTimeout],
  ...['--cert-dir-interval', DURATIONS.certDirInterval],
].map(String);

describe('The truth', function () {
  this.timeout((SECONDS + 90) * 1_000);

  /** How to be rid of what was started, the last first. */
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  it('at the sources reaches the clients, and nothing else does', async () => {
    const plan = makePlan(SEED, SECONDS, NAMES);
    const stage = await openStage();
    closers.push(() => stage.close());
    const { dir, remove } = await makeTempDir();
    closers.push(remove);
    const history = new History();
    const stores = new TruthStores(stage, dir, history);
    const names = [...plan.homes.keys()];
    for (const [name, sources] of plan.homes) {
      const stuff = await makeStuff(stage.ca, name, 'good');
      for (const source of sources) await stores.put(name, source, stuff, 'begin');
    }
    const stuff = await stuffOf(plan, (change, make) => makeStuff(stage.ca, change.name, make));

    const clock = await makeSteppedClock();
    closers.push(() => clock.remove());
    const flags = [
      '--cert-dir',
      dir,
      ...stage.redisFlags(2),
      ...stage.managerFlags,
      ...ADMIN_FLAGS,
      ...FLAGS,
    ];
    const program = await startProgram(flags, { env: clock.env });
    closers.push(() => program[Symbol.asyncDispose]());
    closers.push(() => program.kill('SIGCONT'));
    const { certificate } = await handshake({ port: program.port });
    const clients = new TruthClients(program.port, names, SEED);
    closers.push(() => clients.stop());
    const run = new TruthRun({ program, clock, stores, history, clients, stuff, seed: SEED });
    await clients.visitAll();
    clients.start();
    await run.carryOut(plan);
    await pause(SETTLE_MS);
    await clients.stop();

    const oracle = new Oracle(history, certificate.fingerprint256, {
      late: breakerSpans(program.log),
      skipped: skippedSpans(program.log),
      freshStarts: freshStarts(program.log),
    });
    const judgements = oracle.judge(clients.visits);
    console.log(`truth: seed ${SEED}, ${SECONDS} s: ${summarise(judgements, run.counts, history, oracle)}`);
    const wrong = judgements.filter(({ isRight }) => !isRight);
    // As text: what differs from nothing is not shown by itself.
    const described = wrong
      .slice(0, 10)
      .map((judgement) => JSON.stringify(describeWrong(judgement, history)));
    expect(described.join('\n'), `${wrong.length} handshakes`).to.equal('');
  });
});

/** What each change puts in. */
async function stuffOf(
  { events }: Plan,
  issue: (change: Change, make: NonNullable<Change['make']>) => Promise<Stuff>,
): Promise<Map<Change, Stuff>> {
  const stuff = new Map<Change, Stuff>();
  const rest = events.values();
  const takeTurns = async (): Promise<void> => {
    for (const event of rest) {
      if (!('source' in event) || event.make === undefined) continue;
      stuff.set(event, await issue(event, event.make));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_OPENSSL }, takeTurns));
  return stuff;
}
