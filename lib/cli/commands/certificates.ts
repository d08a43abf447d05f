/** `certificates`: every certificate that the program has at hand, the soonest to end first. */
import { durationText } from '../../base/duration-text.js';
import { secondsOf } from '../../config/quantities.js';
import { dateText } from '../../diagnosis/view.js';
import type { CertificateList, ListedCertificate } from '../../domain/certificate-list.js';
import { usageError } from '../../domain/errors.js';
import { JSON_OPTION, print, type ClientCommand, type CommandContext } from '../command.js';
import { counted, table } from '../table.js';

/** More than any cache holds. */
const ALL = 10_000_000;
/** The heads, the note at the end, and the next prompt. */
const OTHER_LINES = 3;
const MAX_NAMES = 2;

const CHAINS: Readonly<Record<ListedCertificate['chain'], string>> = {
  'leads on': 'complete',
  alone: 'leaf alone',
  broken: 'broken',
};

export const CERTIFICATES: ClientCommand = {
  name: 'certificates',
  operands: '',
  says: 'list what is cached and what --cert-dir has, the soonest to end first',
  options: {
    ...JSON_OPTION,
    expiring: { value: 'DURATION', says: 'those alone that end within it, or have ended: 14d, 12h' },
    limit: { value: 'n|all', says: 'so many at most; without it a screenful in a terminal, else all' },
  },
  async run(context) {
    const withinMs = expiringIn(context.optionOf('expiring'));
    const limit = limitOf(context);
    const list = await context.ask('certificates', { ...(withinMs !== undefined && { withinMs }), limit });
    print(context, list, () => listText(list));
    return 0;
  },
};

function expiringIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = secondsOf(text);
  if (Number.isNaN(seconds)) {
    throw usageError(`--expiring must be a duration, such as 14d or 12h, not ${JSON.stringify(text)}`);
  }
  return Math.round(seconds * 1_000);
}

function limitOf({ optionOf, hasSwitch, io }: CommandContext): number {
  const text = optionOf('limit');
  if (text === undefined) {
    const { screenLines } = io;
    return screenLines === undefined || hasSwitch('json') ? ALL : Math.max(1, screenLines - OTHER_LINES);
  }
  if (text === 'all') return ALL;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw usageError(`--limit must be a whole number above 0, or all, not ${JSON.stringify(text)}`);
}

export function listText({ atMs, certificates, more }: CertificateList): string {
  if (certificates.length === 0) return 'no certificates\n';
  const rows = certificates.map(({ notAfterMs, names, key, issuer, chain, sources, cachedFor }) => [
    endText(notAfterMs - atMs),
    dateText(notAfterMs),
    namesText(names),
    key,
    issuer,
    CHAINS[chain],
    `${sources.join(', ')}${cachedFor === 0 ? ', not cached' : ''}`,
  ]);
  const heads = ['ends', 'on', 'names', 'key', 'issuer', 'chain', 'source'];
  const note = more === 0 ? '' : `and ${counted(more, 'certificate')} more: --limit all\n`;
  return table([heads, ...rows]) + note;
}

function endText(leftMs: number): string {
  return leftMs > 0 ? `in ${durationText(leftMs)}` : `${durationText(-leftMs)} ago`;
}

function namesText(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return `${names.slice(0, MAX_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
