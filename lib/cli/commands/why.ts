/**
 * `why NAME`: which certificate the name is served, and why. The facts in the order of a look-up, then the cause in one sentence, and
 * what mends it.
 */
import type { WhyReport } from '../../diagnosis/report.js';
import { JSON_OPTION, print, type ClientCommand } from '../command.js';
import { whyText } from './why-text.js';

export const WHY: ClientCommand = {
  name: 'why',
  operands: '[NAME]',
  says: 'say which certificate a name is served, and why (without NAME: a client that sends none)',
  exitCodes: { 1: 'the name is not served a certificate of its own that is valid now' },
  options: JSON_OPTION,
  async run(context) {
    const report: WhyReport = await context.ask('why', { name: context.operands[0] ?? '' });
    print(context, report, () => whyText(report));
    return report.diagnosis.isServed ? 0 : 1;
  },
};
