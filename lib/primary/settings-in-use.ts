/**
 * The settings that the program runs with, the flags that they came from, and what a reload or a restart would change of them.
 */
import type { RunningConfig } from '../admin/operations.js';
import { describeChanges } from '../config/changes.js';
import type { EffectiveValue } from '../config/effective.js';
import { flag } from '../config/flags.js';
import type { Loaded } from '../config/load.js';
import type { Settings } from '../config/settings.js';
import { describeError } from '../domain/errors.js';
import { withoutRestart } from './derived-settings.js';

export class SettingsInUse {
  #settings: Settings;
  /** Of each flag. */
  #values: readonly EffectiveValue[];
  /** Those that came with the settings. */
  #warnings: readonly string[];

  constructor({ settings, values, warnings }: Loaded) {
    this.#settings = settings;
    this.#values = values;
    this.#warnings = warnings;
  }

  get current(): Settings {
    return this.#settings;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /**
   * Takes over what was loaded anew. What needs a restart goes on as it was, and so compares as changed again next time.
   *
   * @returns the flags that have changed, and the warnings that the load before did not have.
   */
  take({ settings, values, warnings }: Loaded): ReturnType<typeof describeChanges> & {
    readonly newWarnings: readonly string[];
  } {
    const changes = describeChanges(this.#settings, settings);
    const newWarnings = warnings.filter((warning) => !this.#warnings.includes(warning));
    this.#settings = withoutRestart(this.#settings, settings);
    this.#values = valuesInUse(this.#values, values);
    this.#warnings = warnings;
    return { ...changes, newWarnings };
  }

  /**
   * What is in use, and what a reload or a restart would change. Only looked at: nothing is taken over.
   *
   * @param load as a reload does it: environment and command line are the program's own. Throws where anything is wrong.
   */
  compare(load: () => Loaded): RunningConfig {
    const { pid } = process;
    const values = this.#values;
    let after: Settings;
    try {
      after = load().settings;
    } catch (thrown) {
      return { pid, values, failure: describeError(thrown) };
    }
    const { changed, needRestart } = describeChanges(this.#settings, after);
    return {
      pid,
      values: values.map((value) => {
        if (!changed.includes(value.flag)) return value;
        const isRestart = needRestart.includes(value.flag);
        return { ...value, differs: isRestart ? ('needs restart' as const) : ('needs reload' as const) };
      }),
    };
  }
}

/** After a reload: what only a restart changes is as it was. */
function valuesInUse(before: readonly EffectiveValue[], after: readonly EffectiveValue[]): EffectiveValue[] {
  return after.map((value) =>
    flag(value.flag).restart === true
      ? (before.find((earlier) => earlier.flag === value.flag) ?? value)
      : value,
  );
}
