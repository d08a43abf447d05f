/**
 * What the running program uses of its settings, and what a reload or a restart would change of it. Only looked at: nothing is taken
 * over.
 */
import type { RunningConfig } from '../admin/operations.js';
import { describeChanges } from '../config/changes.js';
import type { EffectiveValue } from '../config/effective.js';
import { flag } from '../config/flags.js';
import type { Loaded } from '../config/load.js';
import type { Settings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';

/** @param load as a reload does it: environment and command line are the program's own. Throws where anything is wrong. */
export function runningConfig(
  settings: Settings,
  values: readonly EffectiveValue[],
  load: () => Loaded,
): RunningConfig {
  const { pid } = process;
  let after: Settings;
  try {
    after = load().settings;
  } catch (thrown) {
    return { pid, values, failure: describeError(thrown) };
  }
  const { changed, needRestart } = describeChanges(settings, after);
  return {
    pid,
    values: values.map((value) => {
      if (!changed.includes(value.flag)) return value;
      const isRestart = needRestart.includes(value.flag);
      return { ...value, differs: isRestart ? ('needs restart' as const) : ('needs reload' as const) };
    }),
  };
}

/** After a reload: what only a restart changes is as it was. */
export function valuesInUse(
  before: readonly EffectiveValue[],
  after: readonly EffectiveValue[],
): EffectiveValue[] {
  return after.map((value) =>
    flag(value.flag).restart === true
      ? (before.find((earlier) => earlier.flag === value.flag) ?? value)
      : value,
  );
}
