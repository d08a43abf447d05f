import { expect } from 'chai';
import { CompressionError } from '../../../../../lib/proxy/http2/hpack/compression-error.js';
import { HpackDecoder } from '../../../../../lib/proxy/http2/hpack/decoder.js';
import { huffmanBytes, writeHuffman } from '../../../../../lib/proxy/http2/hpack/huffman-encoder.js';
import { writeInteger } from '../../../../../lib/proxy/http2/hpack/integer-writer.js';
import { anyDecoder, decodedFrom, octets } from '../../../../support/hpack.js';

/** Literals that are added: `a: b`, `c: d`. */
const A_B = '4001610162';
const C_D = '4001630164';

describe('A header block', () => {
  const malformed: [what: string, hex: string][] = [
    ['names entry 0', '80'],
    ['names entry 0 behind others', '8280'],
    ['names an entry of an empty table', 'be'],
    ['names an entry behind the last', `${A_B}bf`],
    ['names an entry far behind the last', `${A_B}ff8001`],
    ['takes a name from an entry that is not there, to add it', '7e0161'],
    ['takes a name from an entry that is not there, not to add it', '0f2f0161'],
    ['takes a name from an entry that is not there, never to index it', '1f2f0161'],
    ['has an index without an end', 'ff'],
    ['has an index without an end, after some octets', 'ff8080'],
    ['has an index of five octets more', 'ff8080808000'],
    ['has an index above 2^28', 'ffffffffff01'],
    ['has an index that would wrap around to one that is there', 'ff83ffffff0f'],
    ['has a name that is cut off', '40056162'],
    ['has a value that is cut off', '4001610562'],
    ['has no value', '400161'],
    ['has no value behind an index', '41'],
    ['has no name', '40'],
    ['has a length without an end', '40017f7f'],
    ['has a length above 2^28', '4001617fffffffff01'],
    ['has a length that would wrap around', '4001617f81ffffff0f62'],
    ["has padding of zeros in Huffman's code", '40016181a0'],
    ["has padding of eight bits in Huffman's code", '4001618207ff'],
    ["has nothing but padding of eight bits in Huffman's code", '40016181ff'],
    ["has EOS in Huffman's code", '40016184ffffffff'],
    ["has EOS in Huffman's code in a name", '0084ffffffff00'],
    ["has half a code of Huffman's", '40016181fe'],
    ['sets a table size above our limit', '3fe21f'],
    ['sets a table size that is without an end', '3f'],
    ['sets a table size of five octets more', '3f8080808000'],
    ['sets a table size behind a field', '8220'],
    ['sets a table size behind a literal', `${A_B}20`],
    ['sets a table size behind a field, where a literal could be meant', '822001610162'],
    ['sets a table size at its end', '823fe11f'],
  ];
  for (const [what, hex] of malformed)
    it(`that ${what} is refused, and all that follow`, () => {
      const decoder = anyDecoder();
      expect(() => decoder.decode(octets(hex))).to.throw(CompressionError);
      expect(() => decoder.decode(octets('82'))).to.throw(CompressionError, 'an earlier header block');
    });

  it('is refused wherever it is cut off, but between two fields', () => {
    const whole = octets(
      `${A_B}418cf1e3c2e5f23a6ba0ab90f4ff82040c2f73616d706c652f706174681008${'70'.repeat(8)}00`,
    );
    const ends = [5, 19, 20, 34];
    for (let end = 1; end < whole.length; end++) {
      const decode = (): unknown => anyDecoder().decode(whole, 0, end);
      if (ends.includes(end)) expect(decode, `${end}`).not.to.throw();
      else expect(decode, `${end}`).to.throw(CompressionError, 'cut off');
    }
    for (const hex of ['3f00', 'ff8000'])
      expect(() => anyDecoder().decode(octets(hex), 0, hex.length / 2 - 1), hex).to.throw('cut off');
    // Nor is anything read behind its end.
    expect(anyDecoder().decode(Buffer.concat([whole, octets('80')]), 0, whole.length).fieldCount).to.equal(5);
    expect(anyDecoder().decode(Buffer.concat([octets('80'), whole]), 1).fieldCount).to.equal(5);
  });

  it('may be empty', () => {
    expect(decodedFrom('')).to.deep.equal({
      fields: [],
      isOverLimit: false,
      fieldCount: 0,
      listBytes: 0,
      emptyNames: 0,
      neverIndexedNames: [],
    });
  });

  it('may have numbers with zeros behind them', () => {
    const value = 'x'.repeat(127);
    const block = Buffer.concat([octets('0001617f808000'), Buffer.from(value)]);
    expect(anyDecoder().decode(block).fields).to.deep.equal(['a', value]);
  });

  it('keeps every octet of its values', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const block = Buffer.concat([octets('0001617f8101'), all]);
    expect(anyDecoder().decode(block).fields).to.deep.equal(['a', all.toString('latin1')]);
    expect(anyDecoder().decode(block).listBytes).to.equal(32 + 1 + 256);
  });

  it("keeps every octet of its values in Huffman's code", () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));
    const bytes = huffmanBytes(all);
    const coded = Buffer.alloc(bytes + 4);
    writeHuffman(all, coded, 0, bytes);
    const head = Buffer.alloc(8);
    const end = writeInteger(bytes, 7, 0x80, head, 0);
    const block = Buffer.concat([octets('000161'), head.subarray(0, end), coded.subarray(0, bytes)]);
    expect(anyDecoder().decode(block).fields).to.deep.equal(['a', all]);
  });

  it('gives the same string each time that a field is named by its index', () => {
    const decoder = anyDecoder();
    expect(decoder.decode(octets(A_B + C_D)).fields).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(decoder.decode(octets('bfbe')).fields).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('says which of its fields must stay never indexed', () => {
    const { fields, neverIndexedNames } = decodedFrom('1001610162 0001630164 1f110165');
    expect(fields).to.deep.equal(['a', 'b', 'c', 'd', 'cookie', 'e']);
    expect(neverIndexedNames).to.deep.equal(['a', 'cookie']);
  });

  it('says what it has cost', () => {
    const { fieldCount, listBytes, emptyNames } = decodedFrom('82 0000016a 000000 4001610162 be');
    expect({ fieldCount, listBytes, emptyNames }).to.deep.equal({
      fieldCount: 5,
      listBytes: 5 * 32 + 10 + 1 + 0 + 2 + 2,
      emptyNames: 2,
    });
  });
});

describe('A header block above the limit', () => {
  /** Two fields of two octets each. */
  const limited = (): HpackDecoder => new HpackDecoder({ maxListBytes: 2 * 34 });

  it('is given without what is above it, and with how much it is', () => {
    expect(limited().decode(octets(A_B + C_D))).to.deep.include({ isOverLimit: false, listBytes: 68 });
    expect(limited().decode(octets(`${A_B}${C_D}000000`))).to.deep.equal({
      fields: ['a', 'b', 'c', 'd'],
      isOverLimit: true,
      fieldCount: 3,
      listBytes: 2 * 34 + 32,
      emptyNames: 1,
      neverIndexedNames: [],
    });
    const fromHuffman = limited().decode(octets(`${A_B}${A_B}008825a849e95ba97d7f8925a849e95bb8e8b4bf`));
    expect(fromHuffman).to.deep.include({ fieldCount: 3, listBytes: 2 * 34 + 32 + 10 + 12 });
  });

  it('enters the table all the same', () => {
    const decoder = limited();
    const { fields, isOverLimit } = decoder.decode(octets(`${A_B}${C_D}4001650166`));
    expect([fields, isOverLimit]).to.deep.equal([['a', 'b', 'c', 'd'], true]);
    expect(decoder.tableBytes).to.equal(3 * 34);
    expect(decoder.decode(octets('bec0')).fields).to.deep.equal(['e', 'f', 'a', 'b']);
    // A value that is refused comes by index with the next request.
    const crlf = `40017804${Buffer.from('a\r\nb').toString('hex')}`;
    expect(decoder.decode(octets(A_B + C_D + crlf)).fields).not.to.include('a\r\nb');
    expect(decoder.decode(octets('be')).fields).to.deep.equal(['x', 'a\r\nb']);
  });

  it('is refused all the same where it is malformed', () => {
    for (const hex of ['80', '20', '00016184ffffffff', '0001618207ff', '40056162'])
      expect(() => limited().decode(octets(A_B + A_B + A_B + hex)), hex).to.throw(CompressionError);
  });

  it('costs nothing but counting where it names one large entry again and again', () => {
    const decoder = new HpackDecoder({ maxListBytes: 16_384 });
    const entry = Buffer.concat([octets('4001617fd11e'), Buffer.alloc(4_048, 'x')]);
    expect(decoder.decode(entry)).to.deep.include({ isOverLimit: false, listBytes: 32 + 1 + 4_048 });
    const { fields, ...rest } = decoder.decode(Buffer.alloc(16_384, 0xbe));
    expect(fields).to.have.length(8);
    expect(rest).to.deep.include({ isOverLimit: true, fieldCount: 16_384, listBytes: 16_384 * 4_081 });
  });
});

describe('The table of a decoder', () => {
  it('evicts the oldest entries for new ones', () => {
    const decoder = anyDecoder(2 * 34);
    decoder.decode(octets(A_B + C_D));
    decoder.decode(octets('4001650166'));
    expect(decoder.decode(octets('bebf')).fields).to.deep.equal(['e', 'f', 'c', 'd']);
    expect(() => decoder.decode(octets('c0'))).to.throw(CompressionError);
  });

  it('is emptied by an entry that is larger than itself', () => {
    const decoder = anyDecoder(34);
    decoder.decode(octets(A_B));
    expect(decoder.decode(octets('4001610262620162'.slice(0, 12))).fields).to.deep.equal(['a', 'bb']);
    expect(decoder.tableBytes).to.equal(0);
    expect(() => decoder.decode(octets('be'))).to.throw(CompressionError);
  });

  it('takes a name from an entry that is evicted for it', () => {
    const decoder = anyDecoder(34);
    decoder.decode(octets(A_B));
    expect(decoder.decode(octets('7e0163')).fields).to.deep.equal(['a', 'c']);
    expect(decoder.decode(octets('be')).fields).to.deep.equal(['a', 'c']);
  });

  it('holds as many entries as fit, whatever it has held before', () => {
    const decoder = anyDecoder();
    // Without a name and a value: 128 of them.
    for (let i = 0; i < 5; i++) decoder.decode(octets('400000'.repeat(100)));
    expect(decoder.tableBytes).to.equal(4_096);
    expect(decoder.decode(octets('ff3e')).fields).to.deep.equal(['', '']);
    expect(() => decoder.decode(octets('ff3f'))).to.throw(CompressionError);
  });

  it('has the size that a block begins with', () => {
    const decoder = anyDecoder();
    decoder.decode(octets(A_B + C_D));
    // 34
    expect(decoder.decode(octets('3f03be')).fields).to.deep.equal(['c', 'd']);
    expect(decoder.tableBytes).to.equal(34);
    decoder.decode(octets(`203fe11f${A_B}${C_D}`));
    expect(decoder.tableBytes).to.equal(68);
    expect(() => decoder.decode(octets('20be'))).to.throw(CompressionError);
  });

  it('begins with what the protocol says, even where more is allowed', () => {
    const decoder = anyDecoder(65_536);
    const entry = Buffer.concat([octets('4001617fe21e'), Buffer.alloc(4_065, 'x')]);
    decoder.decode(entry);
    expect(decoder.tableBytes).to.equal(0);
    decoder.decode(octets('3fe1ff03'));
    decoder.decode(entry);
    expect(decoder.tableBytes).to.equal(4_098);
    expect(() => decoder.decode(octets('3fe2ff03'))).to.throw(CompressionError);
  });
});

describe('A table size that we have lowered', () => {
  const lowered = (...sizes: number[]): HpackDecoder => {
    const decoder = anyDecoder();
    decoder.decode(octets(A_B + C_D));
    for (const size of sizes) decoder.changeMaxTableBytes(size);
    return decoder;
  };

  it('must be the first thing that a block has', () => {
    for (const hex of ['', '82', A_B])
      expect(() => lowered(100).decode(octets(hex)), hex).to.throw(CompressionError, 'does not begin with');
    expect(lowered(100).decode(octets('3f4582')).fields).to.deep.equal([':method', 'GET']);
    expect(lowered(100).decode(octets('2082')).fields).to.deep.equal([':method', 'GET']);
    expect(() => lowered(100).decode(octets('3f4682'))).to.throw(CompressionError, 'above our limit');
    // Once is enough.
    const decoder = lowered(100);
    decoder.decode(octets('3f45'));
    expect(decoder.decode(octets('82')).fieldCount).to.equal(1);
    expect(() => decoder.decode(octets('3f46'))).to.throw(CompressionError);
  });

  it('must be the smallest of several', () => {
    expect(() => lowered(40, 4_096).decode(octets('82'))).to.throw(CompressionError);
    expect(() => lowered(40, 4_096).decode(octets('3fe11f82'))).to.throw(CompressionError);
    expect(() => lowered(100, 40, 60).decode(octets('3f1d82'))).to.throw(CompressionError);
    const decoder = lowered(40, 4_096);
    // 40, and then 4,096.
    expect(decoder.decode(octets('3f093fe11fbe')).fields).to.deep.equal(['c', 'd']);
    decoder.decode(octets(A_B));
    expect(decoder.tableBytes).to.equal(68);
  });

  it('is no matter where it is above what the other side uses', () => {
    const decoder = anyDecoder();
    decoder.decode(octets('3f45'));
    decoder.changeMaxTableBytes(100);
    expect(decoder.decode(octets('82')).fieldCount).to.equal(1);
    decoder.changeMaxTableBytes(8_192);
    expect(decoder.decode(octets('82')).fieldCount).to.equal(1);
    expect(decoder.decode(octets('3fe13f82')).fieldCount).to.equal(1);
  });

  it('may be 0', () => {
    const decoder = lowered(0);
    expect(decoder.tableBytes).to.equal(0);
    expect(decoder.decode(octets(`20${A_B}`)).fields).to.deep.equal(['a', 'b']);
    expect(() => decoder.decode(octets('be'))).to.throw(CompressionError);
  });
});
