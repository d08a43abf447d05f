/** `warm FILE`: looks names up before clients ask, so that they are cached when traffic comes. A few at a time. */
import type { Warmed } from '../../admin/operations.js';
import { environmentError, usageError } from '../../domain/errors.js';
import type { ServerName } from '../../domain/server-name.js';
import { typedName } from '../../domain/typed-name.js';
import { JSON_OPTION, print, type ClientCommand, type CommandContext } from '../command.js';
import { counted } from '../table.js';

/** Look-ups at once: the manager has four threads for everybody. */
const AT_ONCE = 4;
const BAR_WIDTH = 30;
const MAX_NAMED = 10;

interface Summary {
  readonly names: number;
  readonly found: number;
  readonly absent: number;
  /** Nobody could tell, or the answer is not there yet. */
  readonly unknown: readonly Warmed[];
  /** Lines that are no names. */
  readonly skipped: readonly string[];
}

export const WARM: ClientCommand = {
  name: 'warm',
  operands: '<FILE>',
  says: 'look names up before traffic comes: FILE has one a line, - is standard input',
  exitCodes: { 1: 'some names could not be looked up' },
  options: JSON_OPTION,
  async run(context) {
    const [file = ''] = context.operands;
    const { names, skipped } = namesIn(await read(context, file));
    const warmed = await warmAll(context, names);
    const of = (outcome: Warmed['outcome']): number => warmed.filter((one) => one.outcome === outcome).length;
    const unknown = warmed.filter(({ outcome }) => outcome === 'unavailable' || outcome === 'pending');
    const summary: Summary = {
      names: names.length,
      found: of('found'),
      absent: of('absent'),
      unknown,
      skipped,
    };
    print(context, summary, () => summaryText(summary));
    return unknown.length === 0 ? 0 : 1;
  },
};

async function read({ io }: CommandContext, file: string): Promise<string> {
  if (file === '-') return io.readStdin();
  try {
    return io.readFile(file);
  } catch (thrown) {
    throw usageError(
      `warm: ${file} cannot be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    );
  }
}

/** One name a line; what follows a `#` is a comment. */
function namesIn(text: string): { names: ServerName[]; skipped: string[] } {
  const names = new Set<ServerName>();
  const skipped: string[] = [];
  for (const line of text.split('\n')) {
    const word = line.replace(/#.*/, '').trim();
    if (word === '') continue;
    const name = typedName(word);
    if (name === undefined) skipped.push(word);
    else names.add(name);
  }
  return { names: [...names], skipped };
}

async function warmAll(context: CommandContext, names: readonly ServerName[]): Promise<Warmed[]> {
  const warmed: Warmed[] = [];
  const rest = names.values();
  const isShown = context.io.isTerminal && !context.hasSwitch('json');
  const run = async (): Promise<void> => {
    for (const name of rest) {
      warmed.push(await context.ask('warm', { name }));
      if (isShown) context.io.stderr(bar(warmed.length, names.length));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run)).catch((thrown: unknown) => {
    const after = `after ${warmed.length} of ${counted(names.length, 'name')}`;
    throw environmentError(`warm was broken off ${after}: ${(thrown as Error).message}`, thrown);
  });
  if (isShown) context.io.stderr('\n');
  return warmed;
}

function bar(done: number, all: number): string {
  const full = Math.round((done / all) * BAR_WIDTH);
  return `\r[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${done} of ${all}`;
}

function summaryText({ names, found, absent, unknown, skipped }: Summary): string {
  const lines = [
    `${counted(names, 'name')}: ${found} with a certificate, ${absent} without, ${unknown.length} could not be looked up`,
    ...unknown
      .slice(0, MAX_NAMED)
      .map(({ name, outcome, reason }) => `  ${name}: ${outcome}, ${reason ?? ''}`),
    ...(unknown.length > MAX_NAMED ? [`  and ${unknown.length - MAX_NAMED} more`] : []),
    ...(skipped.length > 0 ? [`not names, and left out: ${skipped.slice(0, MAX_NAMED).join(', ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
