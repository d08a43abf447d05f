/** `expire all` and `expire domain NAME…`: what is known of names is forgotten, and looked up afresh. */
import type { Expired } from '../../admin/operations.js';
import { usageError } from '../../domain/errors.js';
import type { ServerName } from '../../domain/server-name.js';
import { typedName } from '../../domain/typed-name.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';

export const EXPIRE: ClientCommand = {
  name: 'expire',
  operands: '<what> [NAMES..]',
  operandChoices: ['all', 'domain'],
  says: 'forget what is cached: all, or domain NAME…',
  options: {
    ...JSON_OPTION,
    workers: { says: "in the workers' LRUs too, which else serve on for up to --lru-cache-duration" },
    hard: { says: 'with all: drop what would serve on in an outage, too' },
  },
  async run(context) {
    const [what, ...names] = context.operands;
    const workers = context.hasSwitch('workers');
    const hard = context.hasSwitch('hard');
    if (what === 'all') {
      if (names.length > 0) throw usageError('expire all takes no names: for these, expire domain NAME…');
      const answer = await context.ask('expireAll', { hard, workers });
      print(context, answer, () => `expired all${toldText(answer)}\n`);
      return exitCodeOf([answer]);
    }
    if (what !== 'domain')
      throw usageError(`expire ${what ?? ''}: name what is to expire: all, or domain NAME…`);
    if (names.length === 0) throw usageError('expire domain: name one domain or more');
    if (hard) throw usageError('--hard goes with expire all: expire domain is hard by itself');
    const answers: Expired[] = [];
    for (const name of names.map(domainOf))
      answers.push(await context.ask('expireDomain', { name, workers }));
    print(context, answers, () =>
      answers.map((answer) => `expired ${answer.expired}${toldText(answer)}\n`).join(''),
    );
    return exitCodeOf(answers);
  },
};

function domainOf(text: string): ServerName {
  const name = typedName(text);
  if (name === undefined) throw usageError(`${JSON.stringify(text)} is neither a domain name nor an address`);
  return name;
}

function toldText({ workers, acknowledged }: Expired): string {
  return workers === undefined ? '' : `, in ${acknowledged ?? 0} of ${workers} workers too`;
}

/** A worker that has not acknowledged may serve the old certificate still. */
function exitCodeOf(answers: readonly Expired[]): number {
  return answers.every(({ workers, acknowledged }) => workers === acknowledged) ? 0 : 1;
}
