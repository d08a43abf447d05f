/**
 * Both HTTP/2 engines are sent the same octets: the same requests arrive, the same streams are answered, the same connections live. Where
 * they differ, `h2-allowances.ts` says why they may.
 *
 * `TEST_H2_SEQUENCES=5000 TEST_H2_SEED=1` tries that many, from that seed on.
 */
import { expect } from 'chai';
import { compare, startEnginePair, type EnginePair } from '../../support/h2-differential.js';
import { ODD_LABELS } from '../../support/h2-field-cases.js';
import type { Sequence } from '../../support/h2-sequences.js';
import { headSequence, madeSequence, trialSequence, TRIALS } from '../../support/h2-trials.js';
import { SeededRandom } from '../../support/truth-random.js';

const FIRST_SEED = Number(process.env['TEST_H2_SEED'] ?? 1);
const SEQUENCES = Number(process.env['TEST_H2_SEQUENCES'] ?? 150);
/** In a sequence, where none of them ends the connection before. */
const TRIALS_EACH = 6;
/** So many are told of a failure. */
const MAX_TOLD = 20;

describe('Both HTTP/2 engines', () => {
  let pair: EnginePair;
  before(async () => {
    pair = await startEnginePair();
  });
  after(() => pair[Symbol.asyncDispose]());

  async function differences(sequence: Sequence): Promise<string[]> {
    const found = await compare(pair, sequence);
    return found
      .filter(({ allowed }) => allowed === undefined)
      .map(({ subject, label, own, node }) => `${subject} of ${label}: own ${own}, node ${node}`);
  }

  it('take each kind of head for the same request', async () => {
    for (const [seed, label] of ODD_LABELS.entries())
      expect(await differences(headSequence(new SeededRandom(seed), `h${seed}`, [label]))).to.deep.equal([]);
  });

  it('take each kind of frame for the same', async () => {
    for (const [seed, trial] of TRIALS.entries())
      expect(await differences(trialSequence(new SeededRandom(seed), `t${seed}`, trial))).to.deep.equal([]);
  });

  it('make the same of long random sequences, in whatever pieces they come', async function () {
    this.timeout(Math.max(60_000, SEQUENCES * 1_000));
    const told: string[] = [];
    let frames = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES && told.length < MAX_TOLD; seed++) {
      const sequence = madeSequence(new SeededRandom(seed), `s${seed}`, TRIALS_EACH);
      frames += sequence.frameCount;
      told.push(...(await differences(sequence)).map((difference) => `seed ${seed}: ${difference}`));
    }
    if (process.env['TEST_H2_SEQUENCES'] !== undefined)
      console.log(`      ${SEQUENCES} sequences, ${frames} frames`);
    expect(told).to.deep.equal([]);
    // Else little was tried.
    expect(frames).to.be.above(100 * SEQUENCES);
  });
});
