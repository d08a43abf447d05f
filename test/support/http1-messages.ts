/**
 * Random messages of HTTP/1.1, from a seed: valid ones, in all spellings that are allowed, and what becomes of them when octets are
 * changed.
 */
import type { SeededRandom } from './truth-random.js';

export interface MadeRequest {
  readonly method: string;
  readonly target: string;
  /** Flat; those that make the framing left out. */
  readonly fields: readonly string[];
  readonly body: string;
  /** Flat. */
  readonly trailers: readonly string[];
  /** The octets, latin1. */
  readonly text: string;
}

const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'BAN', 'M-SEARCH', 'RPC_IN_DATA', 'x', "!#$%&'*+"];
const NAMES = [
  'Accept',
  'X-A',
  'cookie',
  'Te',
  'Trailer',
  'a',
  'X-Forwarded-For',
  'User-Agent',
  'Range',
  'via',
];
const VISIBLE = codes(0x21, 0x7e) + codes(0x80, 0xff);
const IN_VALUES = `${VISIBLE}\t    `;
const ANY = codes(0, 0xff);
/** What framing is made of. */
const TELLING = '\r\n\r\n\r\n\n\r\0 \t:;,=0129afxAF+-"\x7f\x0b\x80\xff/.HTP';

function codes(from: number, to: number): string {
  return String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

export function count(random: SeededRandom, below: number): number {
  return Math.floor(random.next() * below);
}

export function textOf(random: SeededRandom, alphabet: string, maxLength: number): string {
  let text = '';
  for (let left = count(random, maxLength + 1); left > 0; left--)
    text += alphabet.charAt(count(random, alphabet.length));
  return text;
}

/** As a parser has it: without blanks about it. */
function value(random: SeededRandom): string {
  return textOf(random, IN_VALUES, 12).replace(/^[ \t]+|[ \t]+$/g, '');
}

/** Flat. */
export function madeFields(random: SeededRandom, most: number): string[] {
  return Array.from({ length: count(random, most + 1) }, () => [random.pick(NAMES), value(random)]).flat();
}

const blanks = (random: SeededRandom): string => textOf(random, ' \t', 2);

function linesOf(random: SeededRandom, fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i + 1 < fields.length; i += 2)
    text += `${fields[i] ?? ''}:${blanks(random)}${fields[i + 1] ?? ''}${blanks(random)}\r\n`;
  return text;
}

function spelled(random: SeededRandom, text: string): string {
  return Array.from(text, (letter) =>
    random.next() < 0.5 ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('');
}

function chunksOf(random: SeededRandom, body: string): string {
  let text = '';
  const line = (size: number): string => {
    const digits = spelled(random, size.toString(16)).padStart(1 + count(random, 4), '0');
    return `${digits}${random.next() < 0.2 ? `;${textOf(random, IN_VALUES, 6)}` : ''}\r\n`;
  };
  for (let at = 0; at < body.length;) {
    const size = Math.min(body.length - at, 1 + count(random, random.next() < 0.5 ? 3 : 6_000));
    text += `${line(size)}${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return text + line(0);
}

export function madeBody(random: SeededRandom): string {
  if (random.next() < 0.05) return textOf(random, ANY, 64).repeat(200);
  return textOf(random, random.next() < 0.5 ? ANY : TELLING, 40);
}

export function madeRequest(random: SeededRandom): MadeRequest {
  const method = random.pick(METHODS);
  const target = `/${textOf(random, VISIBLE, 10)}`;
  const fields = ['Host', 'a.test', ...madeFields(random, 4)];
  let text = `${'\r\n'.repeat(random.next() < 0.1 ? 1 : 0)}${method} ${target} HTTP/1.1\r\n`;
  text += linesOf(random, fields);
  const kind = random.pick(['none', 'length', 'chunks']);
  const body = kind === 'none' ? '' : madeBody(random);
  if (kind === 'none') return { method, target, fields, body, trailers: [], text: `${text}\r\n` };
  if (kind === 'length') {
    text += linesOf(random, [
      spelled(random, 'content-length'),
      String(body.length).padStart(count(random, 5), '0'),
    ]);
    return { method, target, fields, body, trailers: [], text: `${text}\r\n${body}` };
  }
  const trailers = madeFields(random, 2);
  text += linesOf(random, [spelled(random, 'transfer-encoding'), spelled(random, 'chunked')]);
  text += `\r\n${chunksOf(random, body)}${linesOf(random, trailers)}\r\n`;
  return { method, target, fields, body, trailers, text };
}

/** The same with some octets changed, left out, put in or repeated. */
export function mutated(random: SeededRandom, text: string): string {
  let changed = text;
  for (let left = 1 + count(random, 3); left > 0; left--) {
    // Where the lines are more often than in a body.
    const at = count(random, Math.min(changed.length, random.next() < 0.7 ? 200 : Infinity));
    const octets = random.next() < 0.8 ? TELLING : ANY;
    const octet = octets.charAt(count(random, octets.length));
    const before = changed.slice(0, at);
    switch (count(random, 5)) {
      case 0:
        changed = before + octet + changed.slice(at + 1);
        break;
      case 1:
        changed = before + octet + changed.slice(at);
        break;
      case 2:
        changed = before + changed.slice(at + 1 + count(random, 3));
        break;
      case 3: {
        const from = count(random, changed.length);
        changed = before + changed.slice(from, from + 1 + count(random, 40)) + changed.slice(at);
        break;
      }
      default: {
        // A line twice, perhaps somewhere else.
        const lines = changed.split('\r\n');
        const line = lines[count(random, lines.length)] ?? '';
        lines.splice(count(random, lines.length), 0, line);
        changed = lines.join('\r\n');
      }
    }
  }
  return changed;
}

/** Cut in some places. */
export function pieces(random: SeededRandom, text: string): string[] {
  const cut: string[] = [];
  const size = random.pick([2, 10, 100, 10_000]);
  for (let at = 0; at < text.length;) {
    const length = 1 + count(random, size);
    cut.push(text.slice(at, at + length));
    at += length;
  }
  return cut;
}
