/**
 * What a row of the table of flags is made of. PURE.
 */

/** What the value of a flag is, and so how its text is read. */
export type FlagKind =
  | 'boolean'
  | 'integer'
  | 'number'
  /** A duration, in seconds where it has no unit; above 0 unless `min` is 0. */
  | 'seconds'
  /** A size, in bytes where it has no unit. */
  | 'bytes'
  /** One of `choices`. */
  | 'choice'
  /** A file or a directory, relative to the working directory. */
  | 'path'
  /** Has a syntax of its own (addresses, URLs, patterns). */
  | 'text';

/** What becomes of the value of a flag, where it is one setting as it is: a number, a switch, or milliseconds of seconds. */
export interface FlagUse {
  /** The setting of that name. */
  readonly sets?: string;
  /** The one in `limits`, which workers read. */
  readonly limits?: string;
  /** Workers are given it; else the primary reads it alone. */
  readonly readBy?: 'workers';
}

export interface FlagDefinition extends FlagUse {
  readonly kind: FlagKind;
  /** What stands for the value in `--help`: `ADDR:PORT`, `FILE`, `s`. */
  readonly value: string;
  /** In the flag's own unit. Undefined: nothing is configured. */
  readonly default: string | number | boolean | readonly string[] | undefined;
  /** How the default is shown where `default` alone would not say it. */
  readonly shown?: string;
  readonly description: string;
  /** May be given several times; elsewhere once only. */
  readonly repeatable?: true;
  /** The value may hold a password: it is never quoted in an error. */
  readonly secret?: true;
  /** A reload cannot change it. */
  readonly restart?: true;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
}

/** The longest duration, in seconds: beyond it a timer of Node's fires at once. */
const MAX_SECONDS = 2_147_483;
export const KIB = 1024;
export const MIB = 1024 * KIB;

export interface Duration {
  readonly kind: 'seconds';
  readonly value: 's';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly description: string;
}

export interface Switch {
  readonly kind: 'boolean';
  readonly value: 'true|false';
  readonly default: false;
  readonly description: string;
}

/** A duration, above 0. */
export function seconds(value: number, description: string): Duration;
export function seconds<const Use extends FlagUse>(
  value: number,
  description: string,
  use: Use,
): Duration & Use;
export function seconds(value: number, description: string, use: FlagUse = {}): Duration & FlagUse {
  return { kind: 'seconds', value: 's', default: value, min: 0.001, max: MAX_SECONDS, description, ...use };
}

/** A duration that may be 0: then what it is for does not happen. */
export function secondsOrNone<const Use extends FlagUse>(
  value: number,
  description: string,
  use: Use,
): Duration & Use {
  return { ...seconds(value, description, use), min: 0 };
}

/** A switch that is off unless it is asked for. */
export function off(description: string): Switch;
export function off<const Use extends FlagUse>(description: string, use: Use): Switch & Use;
export function off(description: string, use: FlagUse = {}): Switch & FlagUse {
  return { kind: 'boolean', value: 'true|false', default: false, description, ...use };
}

/** `256 MiB`, `16 KiB`, `1500`. */
export function showBytes(bytes: number): string {
  if (bytes % MIB === 0) return `${bytes / MIB} MiB`;
  return bytes % KIB === 0 ? `${bytes / KIB} KiB` : String(bytes);
}
