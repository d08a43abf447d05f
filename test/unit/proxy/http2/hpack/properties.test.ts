/**
 * What is true of any fields and of any octets, tried with some thousands of random ones: the same ones each time.
 */
import { expect } from 'chai';
import { CompressionError } from '../../../../../lib/proxy/http2/hpack/compression-error.js';
import { HpackDecoder } from '../../../../../lib/proxy/http2/hpack/decoder.js';
import { HpackEncoder } from '../../../../../lib/proxy/http2/hpack/encoder.js';
import { anyDecoder } from '../../../../support/hpack.js';
import { SeededRandom } from '../../../../support/truth-random.js';

const RUNS = 400;
const BLOCKS = 12;
const SIZES = [0, 1, 33, 100, 256, 1_000, 4_096, 4_097, 16_384, 2 ** 32 - 1];
const NAMES = [
  'a',
  '',
  'cookie',
  'set-cookie',
  'server',
  'date',
  'vary',
  ':path',
  ':status',
  'x-request-id',
  'x-a',
  'x-b',
];
const VALUES = [
  '',
  '200',
  '404',
  'a',
  'text/html',
  '/',
  'gzip, deflate',
  'Accept-Encoding',
  'x'.repeat(40),
  'x'.repeat(3_000),
];

const octetsOf = (random: SeededRandom, length: number): string =>
  String.fromCharCode(...Array.from({ length }, () => random.between(0, 256)));

function madeFields(random: SeededRandom): string[] {
  const fields: string[] = [];
  for (let count = random.between(0, 15); count > 0; count -= 1) {
    const isOdd = random.next() < 0.2;
    fields.push(isOdd ? octetsOf(random, random.between(0, 80)).replace(/[A-Z]/g, '') : random.pick(NAMES));
    fields.push(random.next() < 0.3 ? octetsOf(random, random.between(0, 200)) : random.pick(VALUES));
  }
  return fields;
}

function forEachSeed(check: (random: SeededRandom) => void): void {
  for (let seed = 1; seed <= RUNS; seed++) {
    try {
      check(new SeededRandom(seed));
    } catch (thrown) {
      throw new Error(`seed ${seed}: ${String(thrown)}`, { cause: thrown });
    }
  }
}

const octetsIn = (fields: readonly string[]): number => fields.reduce((sum, { length }) => sum + length, 0);

describe('Any fields', () => {
  it('are decoded as they were encoded, whatever sizes the table has meanwhile', () => {
    forEachSeed((random) => {
      const own = random.pick([0, 100, 4_096, 16_384]);
      const encoder = new HpackEncoder({ maxTableBytes: own, usesHuffman: random.next() < 0.8 });
      const decoder = anyDecoder();
      for (let block = 0; block < BLOCKS; block++) {
        while (random.next() < 0.3) {
          const size = random.pick(SIZES);
          encoder.changePeerMaxTableBytes(size);
          decoder.changeMaxTableBytes(size);
        }
        const fields = madeFields(random);
        const secret = random.next() < 0.2 ? fields.filter((_, i) => i % 2 === 0).slice(0, 2) : [];
        const decoded = decoder.decode(encoder.encode(fields, secret));
        expect(decoded.fields).to.deep.equal(fields);
        expect(decoded.listBytes).to.equal(octetsIn(fields) + 16 * fields.length);
        expect(decoded.neverIndexedNames).to.include.members(secret);
        expect(decoder.tableBytes).to.equal(encoder.tableBytes);
        expect(encoder.tableBytes).to.be.at.most(own);
      }
    });
  });

  it('keep the table in step where some blocks are above the limit', () => {
    let above = 0;
    forEachSeed((random) => {
      const maxListBytes = random.pick([0, 50, 400, 2_000]);
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder({ maxListBytes });
      for (let block = 0; block < BLOCKS; block++) {
        const fields = madeFields(random);
        const decoded = decoder.decode(encoder.encode(fields));
        const listBytes = octetsIn(fields) + 16 * fields.length;
        expect(decoded.listBytes).to.equal(listBytes);
        expect(decoded.isOverLimit).to.equal(listBytes > maxListBytes);
        expect(decoded.fields).to.deep.equal(fields.slice(0, decoded.fields.length));
        if (decoded.isOverLimit) above += 1;
        else expect(decoded.fields).to.have.length(fields.length);
        expect(octetsIn(decoded.fields) + 16 * decoded.fields.length).to.be.at.most(maxListBytes);
        expect(decoder.tableBytes).to.equal(encoder.tableBytes);
      }
    });
    expect(above).to.be.within((RUNS * BLOCKS) / 4, RUNS * BLOCKS);
  });
});

describe('Any octets', () => {
  it('are decoded or refused, the same with a limit as without', () => {
    let accepted = 0;
    forEachSeed((random) => {
      const encoder = new HpackEncoder();
      const [whole, limited] = [anyDecoder(), new HpackDecoder({ maxListBytes: 100 })];
      for (let block = 0; block < BLOCKS; block++) {
        const bytes = Buffer.from(encoder.encode(madeFields(random)));
        if (random.next() < 0.4 && bytes.length > 0) {
          bytes[Math.floor(random.between(0, bytes.length))] = random.between(0, 256);
        }
        const [first, second] = [whole, limited].map((decoder) => {
          try {
            const { fieldCount, listBytes, emptyNames } = decoder.decode(bytes);
            return { fieldCount, listBytes, emptyNames, tableBytes: decoder.tableBytes };
          } catch (thrown) {
            if (!(thrown instanceof CompressionError)) throw thrown;
            return thrown.message;
          }
        });
        expect(first).to.deep.equal(second);
        if (typeof first === 'string') break;
        accepted += 1;
      }
    });
    expect(accepted).to.be.within(RUNS, RUNS * BLOCKS - RUNS);
  });
});
