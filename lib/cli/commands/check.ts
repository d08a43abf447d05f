/**
 * `check`: what would keep the program from starting, or clients from their certificates, found out without starting anything.
 */
import { refusedSettings } from '../../check/configuration.js';
import { countOf, type Finding, type Level } from '../../check/finding.js';
import type { RunningProgram } from '../../check/ports.js';
import { LIMIT_MS } from '../../base/within.js';
import { loadSettings } from '../../config/load.js';
import { gather } from '../../config/precedence.js';
import { describeError, ProxyError } from '../../domain/errors.js';
import { JSON_OPTION, print, type ClientCommand, type CommandContext } from '../command.js';
import { counted } from '../table.js';

/** Findings of one kind that are listed for people. A directory may have ten thousand bad certificates. */
const MAX_LISTED = 20;

export const CHECK: ClientCommand = {
  name: 'check',
  operands: '',
  says: 'say what is wrong with the configuration and its surroundings; nothing is started, written or ordered',
  takesSettings: true,
  isLocal: true,
  exitCodes: { 0: 'no errors (there may be warnings)', 1: 'there are errors' },
  options: JSON_OPTION,
  async run(context) {
    const findings = await findingsOf(context);
    const [errors, warnings] = [countOf(findings, 'error'), countOf(findings, 'warning')];
    print(context, { errors, warnings, findings }, () => checkText(findings));
    return errors === 0 ? 0 : 1;
  },
};

async function findingsOf(context: CommandContext): Promise<Finding[]> {
  const { input, io } = context;
  try {
    const { given } = gather(input);
    const loaded = loadSettings(input);
    const program = await programOf(context);
    const { checkAll } = await import('../../check/check.js');
    return await checkAll({ given, loaded, socketPath: context.socketPath, now: io.now, ...program });
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.code === 'ERR_USAGE') return refusedSettings(thrown.message);
    throw thrown;
  }
}

/** The program that runs with the same control socket, or why it does not answer. */
async function programOf(
  context: CommandContext,
): Promise<{ running: RunningProgram | undefined; trouble: string | undefined }> {
  try {
    const { pid, listeners } = await context.ask('status', {}, LIMIT_MS);
    return { running: { pid, listeners }, trouble: undefined };
  } catch (thrown) {
    return { running: undefined, trouble: describeError(thrown) };
  }
}

export function checkText(findings: readonly Finding[]): string {
  const of = (level: Level): Finding[] => findings.filter((each) => each.level === level);
  const fine = of('ok').map(({ area, where }) => (where === '' ? area : `${area} (${where})`));
  return [
    ...[...of('error'), ...of('warning')].map(findingText).slice(0, 2 * MAX_LISTED),
    ...more(of('error').length + of('warning').length - 2 * MAX_LISTED),
    ...(fine.length === 0
      ? []
      : [`ok: ${fine.slice(0, MAX_LISTED).join(', ')}`, ...more(fine.length - MAX_LISTED)]),
    `${counted(countOf(findings, 'error'), 'error')}, ${counted(countOf(findings, 'warning'), 'warning')}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function findingText({ level, area, where, what, remedy }: Finding): string {
  const head = `${level}: ${area}${where === '' ? '' : ` ${where}`}: ${what}`;
  return remedy === undefined ? head : `${head}\n    → ${remedy}`;
}

function more(count: number): string[] {
  return count > 0 ? [`and ${count} more (--json has all)`] : [];
}
