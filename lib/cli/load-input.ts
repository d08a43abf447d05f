/**
 * What settings are loaded from, for a command that was typed here.
 */
import { FLAG_NAMES, type FlagName } from '../config/flags.js';
import type { LoadInput } from '../config/load.js';
import type { CliIo } from './io.js';

/** The flags that were given, each with its values. */
export type GivenValues = Partial<Record<FlagName, readonly string[]>>;

/** The flags among what yargs has made of the arguments. */
export function givenValues(parsed: Record<string, unknown>): GivenValues {
  return Object.fromEntries(
    FLAG_NAMES.flatMap((name) => {
      const values = [parsed[name]].flat().filter((value) => value !== undefined);
      return values.length === 0 ? [] : [[name, values.map(String)]];
    }),
  );
}

/** @param checkHtpasswd see `CliOptions`. */
export function loadInput(
  flags: GivenValues,
  io: CliIo,
  checkHtpasswd: ((text: string) => void) | undefined,
): LoadInput {
  return {
    flags,
    env: io.env,
    readFile: io.readFile,
    cwd: io.cwd,
    cpuCount: io.cpuCount,
    hasIpv6: io.hasIpv6 ?? false,
    nowMs: io.now(),
    ...(checkHtpasswd && { checkHtpasswd }),
  };
}
