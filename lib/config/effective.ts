/**
 * The value of every flag that counts, and the place that it comes from: for a person. PURE.
 *
 * Passwords are left out, and so are the credentials in URLs; what is in files that flags name is not in it at all.
 */
import { DEFAULTS, FLAG_NAMES, type FlagName } from './flags.js';
import type { GivenFlags, Origin } from './precedence.js';
import { redacted } from './redact.js';

export interface EffectiveValue {
  readonly flag: FlagName;
  /** As they were given. Of a default one text, as the help shows it. */
  readonly values: readonly string[];
  readonly origin: Origin;
  /** `--listen`, `PETER_SSLERS_LISTEN`, `/etc/proxy.yaml:3:1`; empty of a default. */
  readonly place: string;
}

/** Of all flags, in the order of the table. */
export function effectiveValues(given: GivenFlags): EffectiveValue[] {
  return FLAG_NAMES.map((flag) => {
    const origin = given.origin(flag);
    if (origin === 'default') return { flag, values: [DEFAULTS[flag]], origin, place: '' };
    const label = given.label(flag);
    return {
      flag,
      values: given.texts(flag).map(redacted),
      origin,
      place: origin === 'file' ? label.replace(/: [^ ]*$/, '') : label,
    };
  });
}
