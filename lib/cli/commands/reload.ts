/** `reload`: as SIGHUP, but it waits, says what has changed, and fails where nothing was taken over. */
import { JSON_OPTION, print, type ClientCommand } from '../command.js';

export const RELOAD: ClientCommand = {
  name: 'reload',
  operands: '',
  says: 'read the settings again, as SIGHUP does, and say what has changed',
  exitCodes: { 1: 'the settings were refused, and everything is as it was' },
  options: JSON_OPTION,
  async run(context) {
    const answer = await context.ask('reload', {});
    const { ok, changed, needRestart, failure } = answer;
    print(context, answer, () => {
      if (!ok) return `not reloaded, everything stays as it was: ${failure ?? ''}\n`;
      const restart = needRestart.length === 0 ? '' : `; only a restart changes ${needRestart.join(', ')}`;
      return `reloaded: ${changed.length === 0 ? 'no flag has changed' : changed.join(', ')}${restart}\n`;
    });
    return ok ? 0 : 1;
  },
};
