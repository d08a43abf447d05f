/**
 * `config`: the value of every flag, and the place that sets it. As a start would find them here and now; with `--running` as the
 * program uses them, with a mark where what was given has changed since.
 */
import type { RunningValue } from '../../admin/operations.js';
import { loadSettings } from '../../config/load.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';
import { table } from '../table.js';

export const CONFIG: ClientCommand = {
  name: 'config',
  operands: '',
  says: 'show the value of every flag, and where it comes from, without passwords',
  takesSettings: true,
  isLocal: true,
  exitCodes: { 1: 'with --running: no program runs, or it cannot be asked' },
  options: {
    ...JSON_OPTION,
    running: { says: 'what the running program uses, and what needs a reload or a restart' },
    given: { says: 'those alone that are not at their defaults' },
  },
  async run(context) {
    const isWanted = ({ origin, differs }: RunningValue): boolean =>
      !context.hasSwitch('given') || origin !== 'default' || differs !== undefined;
    if (!context.hasSwitch('running')) {
      const values = loadSettings(context.input).values.filter(isWanted);
      print(context, { values }, () => valuesText(values));
      return 0;
    }
    const { pid, failure, ...rest } = await context.ask('config', {});
    const values = rest.values.filter(isWanted);
    const answer = { pid, values, ...(failure !== undefined && { failure }) };
    const note = failure === undefined ? '' : `a reload would be refused: ${failure}\n`;
    print(context, answer, () => `${valuesText(values)}in use by process ${pid}\n${note}`);
    return 0;
  },
};

function valuesText(values: readonly RunningValue[]): string {
  return table(
    values.map(({ flag, values: texts, origin, place, differs }) => [
      flag,
      texts.join(', '),
      origin === 'default' ? origin : place,
      differs ?? '',
    ]),
  );
}
