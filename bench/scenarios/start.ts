/**
 * From the start of the process to the line that says it accepts.
 */
import { availableParallelism } from 'node:os';
import type { Row } from '../report.js';
import { startHttps, startProgram, type Server } from '../servers.js';
import type { Setting } from '../setting.js';
import { median } from '../statistics.js';

const WANTED_MS = 600;

interface Kind {
  readonly what: string;
  readonly start: () => Promise<Server>;
  readonly isWanted: boolean;
  readonly times: number[];
}

export async function start(setting: Setting): Promise<Row[]> {
  const { options, ec, certDir } = setting;
  const caState = setting.newStateDir();
  const pair = ['--default-cert', ec.chainPath, '--default-key', ec.keyPath, '--cert-dir', certDir];
  const kind = (what: string, isWanted: boolean, start: () => Promise<Server>): Kind => ({
    ...{ what, start, isWanted },
    times: [],
  });
  const cpus = availableParallelism();
  const kinds = [
    kind('ready, pair on disk', true, () => startProgram(options, pair, setting.newStateDir())),
    kind('ready, CA on disk', true, () => startProgram(options, [], caState)),
    kind(`ready, CA on disk, ${cpus} workers`, true, () =>
      startProgram({ ...options, workers: cpus }, [], caState),
    ),
    kind('ready, first start (makes its CA)', false, () => startProgram(options, [], setting.newStateDir())),
    kind('plain https listens', false, () => startHttps(options, { cert: ec.chainPath, key: ec.keyPath })),
  ];
  // The first of each is not counted: it makes the CA, and has the files to read from the disk.
  for (let round = -1; round < options.rounds; round++) {
    for (const { start, times } of kinds) {
      await using server = await start();
      if (round >= 0) times.push(server.readyMs);
    }
  }
  return kinds.map(({ what, isWanted, times }) => {
    const value = median(times);
    const wanted = { text: `≤ ${WANTED_MS} ms`, value, atMost: WANTED_MS };
    return { what, ours: `${value.toFixed(0)} ms`, ...(isWanted ? { wanted } : {}) };
  });
}
