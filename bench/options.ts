/**
 * What the benchmark is asked for on its command line.
 */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Interleaved rounds of every comparison. */
  readonly rounds: number;
  /** Operations of a round. */
  readonly operations: number;
  /** Operations of every server before the first round: V8 is done with compiling after some 5,000. */
  readonly warmUp: number;
  /** Worker processes of this program, in the groups `tiers` and `start`; all else has one. */
  readonly workers: number;
  /** The Node binary that the servers run on. The load always comes from this process's own. */
  readonly node: string;
  /** Measures only what has this in its title. */
  readonly only: string | undefined;
  /** Where the servers leave CPU profiles. */
  readonly profileDir: string | undefined;
  readonly write: boolean;
}

const HELP = `npm run bench -- [flags]
  --rounds N     interleaved rounds (14)
  --operations N operations a round (200)
  --warm-up N    operations before the first round (6000)
  --workers N    worker processes, in the groups tiers and start (1)
  --node PATH    run the servers on another Node
  --only TEXT    only the groups with this in their name: handshakes, proxying, http2,
                 tiers, memory, idle, start, bodies
  --profile DIR  the servers leave a .cpuprofile of each process here
  --write        put the figures into bench/RESULTS.md
`;

/** @throws TypeError for what is no flag. */
export function readOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '14' },
      operations: { type: 'string', default: '200' },
      'warm-up': { type: 'string', default: '6000' },
      workers: { type: 'string', default: '1' },
      node: { type: 'string', default: process.execPath },
      only: { type: 'string' },
      profile: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  return {
    rounds: count('rounds', values.rounds),
    operations: count('operations', values.operations),
    warmUp: count('warm-up', values['warm-up']),
    workers: count('workers', values.workers),
    node: values.node,
    only: values.only,
    profileDir: values.profile,
    write: values.write,
  };
}

function count(flag: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new TypeError(`--${flag} ${text}: it is a whole number above 0`);
  return Number(text);
}
