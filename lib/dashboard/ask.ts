/**
 * Questions and orders to the program, relative to where the page is.
 */
import type { Expired } from '../admin/operations.js';
import type { WhyReport } from '../diagnosis/report.js';
import type { Frame } from './frame.js';

/** `why` asks sources for up to 5 s, and plays clients then. */
const TIMEOUT_MS = 30_000;

/** @throws Error with a sentence, as all of these do. */
export async function askWhy(name: string): Promise<WhyReport> {
  // A path in which they stand leads elsewhere, however they are escaped.
  if (name === '.' || name === '..') throw new Error(`"${name}" is no host name.`);
  return ask('GET', `why/${encodeURIComponent(name)}`);
}

/** What the stream sends once a second. */
export function askSnapshot(): Promise<Frame> {
  return ask('GET', 'snapshot');
}

/** @param name absent: everything. */
export function expire(name: string | undefined, workers: boolean): Promise<Expired> {
  const what = name === undefined ? 'all' : `domain/${encodeURIComponent(name)}`;
  return ask('POST', `expire/${what}${workers ? '?workers=1' : ''}`);
}

/** @throws Error with a sentence. */
async function ask<Answer>(method: string, path: string): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    response = await fetch(path, { method, signal, headers: { accept: 'application/json' } });
    text = await response.text();
  } catch {
    throw new Error('The program cannot be reached.');
  }
  if (!response.ok) throw new Error(`The program answers ${response.status}${detailOf(text)}.`);
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Error('The answer of the program cannot be read.');
  }
}

function detailOf(text: string): string {
  try {
    const { reason: detail } = JSON.parse(text) as { reason?: unknown };
    return typeof detail === 'string' ? `: ${detail.replace(/\.$/, '')}` : '';
  } catch {
    const line = text.trim();
    return line !== '' && line.length < 200 && !line.startsWith('<') ? `: ${line}` : '';
  }
}
