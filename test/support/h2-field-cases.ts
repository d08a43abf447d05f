/**
 * Heads of requests on HTTP/2, right and wrong, from a seed; and blocks of HPACK (RFC 7541), written in all the forms that say the same.
 */
import { writeInteger } from '../../lib/proxy/http2/hpack/integer-writer.js';
import { STATIC_NAMES, STATIC_VALUES } from '../../lib/proxy/http2/hpack/static-table.js';
import { writeString } from '../../lib/proxy/http2/hpack/string-writer.js';
import { count } from './http1-messages.js';
import type { Field } from './raw-h2.js';
import type { SeededRandom } from './truth-random.js';

export interface FieldCase {
  /** What is particular about it; of what is wrong, one thing. */
  readonly label: string;
  readonly fields: readonly Field[];
}

/** By it a request is known again where it arrives. */
export const MARK = 'x-mark';

/** Writes the blocks of a connection: what it adds to the table, later blocks refer to. */
export class BlockWriter {
  readonly #random: SeededRandom;
  /** The newest first. */
  readonly #added: Field[] = [];
  #maxBytes = 4_096;
  #sizes: number[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** The next block begins with such a size of the table. */
  resize(bytes: number): void {
    this.#maxBytes = bytes;
    this.#sizes.push(bytes);
    this.#evict();
  }

  write(fields: readonly Field[]): Buffer {
    const sizes = this.#sizes.map((bytes) => integer(bytes, 5, 0x20));
    this.#sizes = [];
    return Buffer.concat([...sizes, ...fields.map((field) => this.#field(field))]);
  }

  #field(field: Field): Buffer {
    const [name, value] = field;
    const random = this.#random;
    const whole = this.#find((other) => other[0] === name && other[1] === value);
    if (whole > 0 && random.next() < 0.8) return integer(whole, 7, 0x80);
    const named = random.next() < 0.7 ? this.#find((other) => other[0] === name) : 0;
    const form = random.pick(['added', 'added', 'not added', 'never indexed'] as const);
    const head = {
      added: integer(named, 6, 0x40),
      'not added': integer(named, 4, 0),
      'never indexed': integer(named, 4, 0x10),
    }[form];
    if (form === 'added') {
      this.#added.unshift(field);
      this.#evict();
    }
    const text = (part: string): Buffer => string(part, random.next() < 0.5);
    return Buffer.concat([head, ...(named === 0 ? [text(name)] : []), text(value)]);
  }

  /** @returns its index; 0: there is none. */
  #find(is: (field: Field) => boolean): number {
    const added = this.#added.findIndex(is);
    if (added !== -1 && this.#random.next() < 0.8) return STATIC_NAMES.length + added;
    return Math.max(
      0,
      STATIC_NAMES.findIndex((name, i) => i > 0 && is([name, STATIC_VALUES[i] ?? ''])),
    );
  }

  #evict(): void {
    const bytes = (): number =>
      this.#added.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (bytes() > this.#maxBytes) this.#added.pop();
  }
}

function integer(value: number, prefixBits: number, flags: number): Buffer {
  const bytes = Buffer.alloc(8);
  return bytes.subarray(0, writeInteger(value, prefixBits, flags, bytes, 0));
}

function string(text: string, usesHuffman: boolean): Buffer {
  const bytes = Buffer.alloc(4 * text.length + 16);
  return bytes.subarray(0, writeString(text, usesHuffman, bytes, 0));
}

// --- heads

interface Head {
  pseudo: Field[];
  fields: Field[];
}

type Change = (head: Head, random: SeededRandom) => void;

const octet = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;
const PSEUDO = [':method', ':scheme', ':path', ':authority'] as const;
const USUAL = { ':method': 'GET', ':scheme': 'https', ':path': '/', ':authority': 'a.test' } as const;

const set =
  (name: string, value: string): Change =>
  (head) => {
    head.pseudo = head.pseudo.map((field) => (field[0] === name ? [name, value] : field));
  };
const without =
  (...names: readonly string[]): Change =>
  (head) =>
    void (head.pseudo = head.pseudo.filter(([name]) => !names.includes(name)));
const add =
  (...fields: readonly Field[]): Change =>
  (head) =>
    void head.fields.push(...fields);
const addPseudo =
  (name: string, value: string): Change =>
  (head) =>
    void head.pseudo.push([name, value]);
const all =
  (...changes: readonly Change[]): Change =>
  (head, random) => {
    for (const change of changes) change(head, random);
  };
const connect = (...more: readonly Change[]): Change => all(set(':method', 'CONNECT'), ...more);
const host = (value: string): Change => add(['host', value]);

/** What is right, or where it is not plain whether it is. */
const ODD: readonly (readonly [label: string, change: Change])[] = [
  ['Host without :authority', all(without(':authority'), host('a.test'))],
  ['Host as :authority', all(set(':authority', 'a.test'), host('a.test'))],
  ['Host as :authority in capitals', all(set(':authority', 'a.test'), host('A.TEST'))],
  ['Host with a port', all(set(':authority', 'a.test'), host('a.test:443'))],
  ['Host with blanks about it', all(set(':authority', 'a.test'), host(' a.test '))],
  ['Host of blanks', all(without(':authority'), host('  '))],
  ['Host above 0x7f', all(without(':authority'), host('\xe4.test'))],
  ['Host with a path', all(without(':authority'), host('a.test/x'))],
  ['Host with a user', all(without(':authority'), host('u@a.test'))],
  ['another Host', all(set(':authority', 'a.test'), host('b.test'))],
  ['an empty Host', host('')],
  ['two Hosts', all(without(':authority'), host('a.test'), host('a.test'))],
  ['two other Hosts', all(without(':authority'), host('a.test'), host('b.test'))],
  ['neither Host nor :authority', without(':authority')],
  ['an authority with a port', set(':authority', 'a.test:8443')],
  ['an authority with a port that is none', set(':authority', 'a.test:x')],
  ['an authority with an empty port', set(':authority', 'a.test:')],
  ['an authority of a port', set(':authority', ':443')],
  ['an authority in capitals', set(':authority', 'A.Test')],
  ['an authority with a user', set(':authority', 'u@a.test')],
  ['an authority that is an address', set(':authority', '[::1]:1')],
  ['the target *', set(':path', '*')],
  ['OPTIONS *', all(set(':method', 'OPTIONS'), set(':path', '*'))],
  ['OPTIONS **', all(set(':method', 'OPTIONS'), set(':path', '**'))],
  ['OPTIONS without a path', all(set(':method', 'OPTIONS'), set(':path', ''))],
  ['a path above the limit', set(':path', `/${'p'.repeat(20_000)}`)],
  ['a path far above the limit', set(':path', `/${'p'.repeat(100_000)}`)],
  ['a method above the limit', set(':method', 'M'.repeat(20_000))],
  ['an absolute path', set(':path', 'https://a.test/x')],
  ['a path without a slash', set(':path', 'x')],
  ['a path with #', set(':path', '/x#y')],
  ['a path of octets above 0x7f', set(':path', '/\xe4\xff')],
  ['a path of ? only', set(':path', '/?')],
  ['a path that is a ?', set(':path', '?x')],
  ['a path with dots', set(':path', '/a/../b//c')],
  ['a scheme http', set(':scheme', 'http')],
  ['a scheme in capitals', set(':scheme', 'HTTPS')],
  ['another scheme', set(':scheme', 'ftp')],
  ['a scheme of odd letters', set(':scheme', 'a_b')],
  ['a method in small letters', set(':method', 'get')],
  ['a method with a dash', set(':method', 'M-SEARCH')],
  ['TRACE', set(':method', 'TRACE')],
  ['PRI', set(':method', 'PRI')],
  ['a method PUT with a length of 0', all(set(':method', 'PUT'), add(['content-length', '0']))],
  ['CONNECT', connect(without(':scheme', ':path'))],
  ['CONNECT with a port', connect(without(':scheme', ':path'), set(':authority', 'a.test:443'))],
  ['CONNECT with a path', connect(without(':scheme'))],
  ['CONNECT with a scheme', connect(without(':path'))],
  ['CONNECT with scheme and path', connect()],
  ['CONNECT without an authority', connect(without(':scheme', ':path', ':authority'))],
  ['CONNECT with Host only', connect(without(':scheme', ':path', ':authority'), host('a.test'))],
  ['extended CONNECT', connect(addPseudo(':protocol', 'websocket'))],
  ['extended CONNECT in capitals', connect(addPseudo(':protocol', 'WebSocket'))],
  ['extended CONNECT of another protocol', connect(addPseudo(':protocol', 'connect-udp'))],
  ['extended CONNECT of none', connect(addPseudo(':protocol', ''))],
  ['extended CONNECT without a path', connect(addPseudo(':protocol', 'websocket'), without(':path'))],
  ['extended CONNECT without a scheme', connect(addPseudo(':protocol', 'websocket'), without(':scheme'))],
  [
    'extended CONNECT without an authority',
    connect(addPseudo(':protocol', 'websocket'), without(':authority')),
  ],
  ['extended CONNECT for *', connect(addPseudo(':protocol', 'websocket'), set(':path', '*'))],
  [':protocol without CONNECT', addPseudo(':protocol', 'websocket')],
  [':protocol of none without CONNECT', addPseudo(':protocol', '')],
  ['TE of trailers', add(['te', 'trailers'])],
  ['TE of trailers in capitals', add(['te', 'Trailers'])],
  ['TE with blanks', add(['te', ' trailers '])],
  ['TE twice', add(['te', 'trailers'], ['te', 'trailers'])],
  ['TE twice, once another', add(['te', 'trailers'], ['te', 'gzip'])],
  ['TE of another coding', add(['te', 'gzip'])],
  ['TE of trailers and another coding', add(['te', 'trailers, gzip'])],
  ['an empty TE', add(['te', ''])],
  ['connection', add(['connection', 'x-a'])],
  ['connection: close', add(['connection', 'close'])],
  ['keep-alive', add(['keep-alive', '1'])],
  ['proxy-connection', add(['proxy-connection', 'close'])],
  ['transfer-encoding', add(['transfer-encoding', 'chunked'])],
  ['upgrade', add(['upgrade', 'websocket'])],
  ['http2-settings', add(['http2-settings', 'AAMAAABk'])],
  ['cookies', add(['cookie', 'a=1'], ['x-a', '1'], ['cookie', 'b=2'], ['cookie', ''])],
  ['an expectation', add(['expect', '100-continue'])],
  ['an expectation in capitals', add(['expect', '100-Continue'])],
  ['another expectation', add(['expect', 'x'])],
  ['two expectations', add(['expect', '100-continue'], ['expect', '100-continue'])],
  ['two expectations, one another', add(['expect', '100-continue'], ['expect', 'x'])],
  ['an empty expectation', add(['expect', ''])],
  ['names that a gateway takes for others', add(['content_length', '5'], ['transfer_encoding', 'chunked'])],
  ['many cookies', add(...Array.from({ length: 100 }, (_, i): Field => ['cookie', `c${i}=1`]))],
  ['a field of ours', add(['x-request-id', '1'], ['x-forwarded-for', '9.9.9.9'], ['forwarded', 'for=x'])],
  ['a priority', add(['priority', 'u=1, i'])],
  ['a priority that is none', add(['priority', 'u=99;;'])],
  ['a value with blanks about it', add(['x-a', ' \tb c\t '])],
  ['a value of blanks', add(['x-a', ' \t '])],
  ['an empty value', add(['x-a', ''])],
  ['a long value', add(['x-a', 'y'.repeat(5_000)])],
  ['a long name', add(['x'.repeat(300), '1'])],
  ['a name twice', add(['x-a', '1'], ['x-b', '2'], ['x-a', '3'])],
  ['a name of odd letters', add(["!#$%&'*+-.^_`|~0", '1'])],
  ['a name __proto__', add(['__proto__', '1'], ['constructor', '2'])],
  [
    'a field above all limits',
    add(...Array.from({ length: 3 }, (_, i): Field => [`x-${i}`, 'z'.repeat(30_000)])),
  ],
  [
    'as many fields as we take',
    (head) => {
      const more = Array.from({ length: 512 - head.fields.length }, (_, i): Field => [`x-${i}`, '1']);
      head.fields.push(...more);
    },
  ],
  ['more fields than we take', add(...Array.from({ length: 600 }, (_, i): Field => ['x-a', `${i % 9}`]))],
  ['a length that is none', add(['content-length', 'x'])],
  ['a length of nothing', add(['content-length', ''])],
  ['a length with a sign', add(['content-length', '+0'])],
  ['a length below 0', add(['content-length', '-1'])],
  ['a length in a list', add(['content-length', '0, 0'])],
  ['a length twice', add(['content-length', '0'], ['content-length', '0'])],
  ['two lengths', add(['content-length', '0'], ['content-length', '1'])],
  ['a length with zeros', add(['content-length', '000'])],
  ['a length with blanks', add(['content-length', ' 0 '])],
  ['a length of 16 digits', add(['content-length', '9'.repeat(16)])],
  ['a length that no number is', add(['content-length', '9007199254740993'])],
  ['a length of 20 digits', add(['content-length', '9'.repeat(20)])],
  ['a length without a body', add(['content-length', '5'])],
  ['an unknown pseudo field', addPseudo(':x', '1')],
  ['a pseudo field without a name', addPseudo(':', '1')],
  ['a pseudo field of responses', addPseudo(':status', '200')],
  ['an empty name', add(['', '1'])],
  ['a name in capitals', add(['X-A', '1'])],
  ['a name with one capital', add(['x-aB', '1'])],
  ['a name of octets above 0x7f', add(['x-\xe4', '1'])],
  ['no fields', (head) => void ([head.pseudo, head.fields] = [[], []])],
  ...PSEUDO.flatMap((name): [string, Change][] => [
    [`no ${name}`, without(name)],
    [`an empty ${name}`, set(name, '')],
    [`${name} twice`, addPseudo(name, USUAL[name])],
    [`a late ${name}`, all(without(name), add([name, USUAL[name]]))],
    [
      `${name} with a capital`,
      all(without(name), addPseudo(`:${name.charAt(1).toUpperCase()}${name.slice(2)}`, USUAL[name])),
    ],
  ]),
];

/** One octet somewhere. */
function withOctet(random: SeededRandom): readonly [label: string, change: Change] {
  const where = random.pick(['value', 'value', 'name', ...PSEUDO] as const);
  const place = random.pick(['the beginning', 'the middle', 'the end'] as const);
  // Those that mean something to HTTP/1.1 more often.
  const code = random.next() < 0.4 ? random.pick([0, 9, 10, 13, 32, 58, 127]) : count(random, 256);
  const within = (text: string): string => {
    const at = { 'the beginning': 0, 'the middle': text.length >> 1, 'the end': text.length }[place];
    return text.slice(0, at) + String.fromCharCode(code) + text.slice(at);
  };
  const label = `${octet(code)} at ${place} of ${where === 'value' || where === 'name' ? `a ${where}` : where}`;
  if (where === 'value') return [label, add(['x-a', within('bc')])];
  if (where === 'name') return [label, add([within('x-ab'), '1'])];
  return [
    label,
    (head) => {
      head.pseudo = head.pseudo.map(([name, value]) => [name, name === where ? within(value) : value]);
    },
  ];
}

/** The cases by their labels: for those that are to be tried by name. */
export const ODD_LABELS: readonly string[] = ODD.map(([label]) => label);

export interface HeadOptions {
  readonly mark: string;
  /** One of `ODD_LABELS`. */
  readonly label?: string;
  /** A body follows. */
  readonly hasBody?: boolean;
  readonly more?: readonly Field[];
  /** Nothing odd is in it. */
  readonly isPlain?: boolean;
}

/** A head with one thing odd about it at the most. */
export function madeHead(
  random: SeededRandom,
  { mark, label, hasBody, more = [], isPlain }: HeadOptions,
): FieldCase {
  const methods =
    hasBody === true ? ['POST', 'PUT', 'PATCH', 'DELETE'] : ['GET', 'GET', 'HEAD', 'POST', 'DELETE'];
  const head: Head = {
    pseudo: shuffled(random, [
      [':method', random.pick(methods)],
      [':scheme', 'https'],
      [':path', random.pick(['/', '/index.html', '/p?q=1', `/${count(random, 30)}`])],
      [':authority', random.pick(['a.test', 'b.test'])],
    ]),
    fields: [[MARK, mark], ...plainFields(random), ...more],
  };
  const odd = label === undefined ? undefined : ODD.find((each) => each[0] === label);
  const [said, change] = odd ?? pickCase(random, isPlain === true);
  change(head, random);
  return { label: said, fields: [...head.pseudo, ...head.fields] };
}

function pickCase(random: SeededRandom, isPlain: boolean): readonly [label: string, change: Change] {
  const kind = random.next();
  if (isPlain || kind < 0.4) return ['plain', () => undefined];
  return kind < 0.75 ? random.pick(ODD) : withOctet(random);
}

/** Few names and values, so that they are found in the table again. */
function plainFields(random: SeededRandom): Field[] {
  return Array.from({ length: count(random, 5) }, (): Field => [
    random.pick(['accept', 'user-agent', 'x-a', 'x-b', 'accept-language', 'referer', 'cookie']),
    random.pick(['1', 'text', '*/*', 'a=b', '\xe4\xf6', 'a longer value, of which there is more']),
  ]);
}

export function shuffled<T>(random: SeededRandom, list: readonly T[]): T[] {
  const left = [...list];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(count(random, left.length), 1));
  return out;
}
