/**
 * What a row of the table of flags is made of. PURE.
 */

/** What the value of a flag is, and so how its text is read. */
export type FlagKind =
  | 'boolean'
  | 'integer'
  | 'number'
  /** Seconds, decimals allowed; above 0 unless `min` is 0. */
  | 'seconds'
  /** Bytes, with the suffixes KiB, MiB and GiB. */
  | 'bytes'
  /** One of `choices`. */
  | 'choice'
  /** A file or a directory, relative to the working directory. */
  | 'path'
  /** Has a syntax of its own (addresses, URLs, patterns). */
  | 'text';

export interface FlagDefinition {
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

/** A duration, above 0. */
export const seconds = (value: number, description: string) =>
  ({ kind: 'seconds', value: 's', default: value, min: 0.001, max: MAX_SECONDS, description }) as const;

/** A duration that may be 0: then what it is for does not happen. */
export const secondsOrNone = (value: number, description: string) =>
  ({ ...seconds(value, description), min: 0 }) as const;

/** A switch that is off unless it is asked for. */
export const off = (description: string) =>
  ({ kind: 'boolean', value: 'true|false', default: false, description }) as const;

/** `256 MiB`, `16 KiB`, `1500`. */
export function showBytes(bytes: number): string {
  if (bytes % MIB === 0) return `${bytes / MIB} MiB`;
  return bytes % KIB === 0 ? `${bytes / KIB} KiB` : String(bytes);
}
