/**
 * Settings that are the value of one flag as it is, and nothing more: a number, a switch, a duration in milliseconds. The table of
 * flags says which setting each is (`sets`), or which of the limits (`limits`), and whether workers read it (`readBy`); their types are
 * taken from there. So such a flag is one row of the table, and its use. PURE.
 */
import { flag, FLAG_NAMES, type FLAGS, type FlagName } from './flags.js';
import type { FlagUse } from './flag.js';

type Row<Name extends FlagName> = (typeof FLAGS)[Name];

/** The flags whose row has such a field. */
type FlagsWith<Field> = { [Name in FlagName]: Row<Name> extends Field ? Name : never }[FlagName];

/** By the names of settings. */
type ValuesOf<Name extends FlagName, Field extends 'sets' | 'limits'> = {
  readonly [
    Each in Name as Row<Each> extends Record<Field, infer Setting extends string> ? Setting : never
  ]: Row<Each> extends { kind: 'boolean' } ? boolean : number;
};

/** The flags that are a plain setting or a limit. */
export type PlainFlag = FlagsWith<{ sets: string }> | FlagsWith<{ limits: string }>;

export type PlainSettings = ValuesOf<FlagsWith<{ sets: string }>, 'sets'>;

/** Of a worker: sizes in bytes, numbers of connections, durations in milliseconds. The flags have what each is for. */
export type LimitSettings = ValuesOf<FlagsWith<{ limits: string }>, 'limits'>;

/** Those that workers read. */
export type PlainWorkerSettings = ValuesOf<FlagsWith<{ sets: string; readBy: 'workers' }>, 'sets'>;

/** Reads all plain settings, or all limits. @param read the value of a flag. */
export function readPlain(field: 'sets', read: (name: PlainFlag) => number | boolean): PlainSettings;
export function readPlain(field: 'limits', read: (name: PlainFlag) => number | boolean): LimitSettings;
export function readPlain(
  field: 'sets' | 'limits',
  read: (name: PlainFlag) => number | boolean,
): PlainSettings | LimitSettings {
  const values = FLAG_NAMES.flatMap((name) => {
    const setting = flag(name)[field];
    return setting === undefined ? [] : [[setting, read(name as PlainFlag)] as const];
  });
  // The compiler does not follow names through `fromEntries`.
  return Object.fromEntries(values) as unknown as PlainSettings | LimitSettings;
}

/** The value of a plain setting or a limit, by its flag. */
export function plainValue(
  settings: PlainSettings & { readonly limits: LimitSettings },
  use: FlagUse,
): unknown {
  const { sets, limits } = use;
  return limits === undefined
    ? settings[sets as keyof PlainSettings]
    : settings.limits[limits as keyof LimitSettings];
}

/** The names of the plain settings that workers read. */
export const PLAIN_WORKER_KEYS = FLAG_NAMES.filter((name) => flag(name).readBy === 'workers').map(
  (name) => flag(name).sets as keyof PlainWorkerSettings,
);
