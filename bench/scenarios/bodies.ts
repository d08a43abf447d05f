/**
 * What a large body costs the worker that passes it on: the peak of its resident memory, above what it was before.
 *
 * Each with a worker of its own that has answered a single request: what its heap grows by at first is counted too. Before the large
 * body it passes on one of a tenth, whose peak is shown as well: where the two are alike, the size of a body does not matter.
 */
import type { ExchangeOrder, LoadOrder } from '../load/orders.js';
import { forgetPeak, peakResidentBytes, residentBytes } from '../processes.js';
import type { Row } from '../report.js';
import type { Setting } from '../setting.js';
import { startOwnProxy } from './own-proxy.js';

const MIB = 1024 ** 2;
const SMALL_BYTES = 512;
const WHOLE_BYTES = 2000 * MIB;
const TENTH_BYTES = 200 * MIB;
const WANTED_MIB = 50;
/** 16 KiB, one TLS record, every 5 ms: 3 MiB a second at most. */
const SLOW = { pauseMs: 5, forMs: 10_000 } as const;

export async function bodies(setting: Setting): Promise<Row[]> {
  const { name, certificate } = setting.ec;
  const to = { protocol: 'http/1.1', name, certificate } as const;
  const exchange = (upBytes: number, downBytes: number) => (port: number) =>
    ({
      ...{ kind: 'exchanges', operations: 1, concurrency: 1 },
      ...{ ...to, port, upBytes, downBytes },
    }) satisfies ExchangeOrder;
  const download = (bytes: number) => exchange(0, bytes);
  const upload = (bytes: number) => exchange(bytes, SMALL_BYTES);

  /** `tenth` is performed before `whole`, on the same worker. */
  const measure = async (
    what: string,
    whole: (port: number) => LoadOrder,
    tenth?: (port: number) => LoadOrder,
  ): Promise<Row> => {
    const dir = setting.newStateDir();
    await using server = await startOwnProxy(setting, {
      ...{ mode: 'http', backendPort: setting.backend.httpPort, dir },
    });
    const { port } = server;
    const [, worker = 0] = server.pids;
    try {
      await setting.load.perform(download(SMALL_BYTES)(port));
      const before = await residentBytes(worker);
      await forgetPeak(worker);
      if (tenth !== undefined) await setting.load.perform(tenth(port));
      const tenthPeak = await peakResidentBytes(worker);
      await setting.load.perform(whole(port));
      const peak = await peakResidentBytes(worker);
      const after = await residentBytes(worker);
      const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
      const value = (peak - before) / MIB;
      const shown = tenth === undefined ? '' : `; a tenth of it: to ${mib(tenthPeak)}`;
      return {
        what: `memory growth, ${what}`,
        ours: `${value.toFixed(0)} MiB: from ${mib(before)} to ${mib(peak)}, then ${mib(after)}${shown}`,
        wanted: { text: `≤ ${WANTED_MIB} MiB`, value, atMost: WANTED_MIB },
      };
    } finally {
      await setting.load.perform({ kind: 'forget' });
    }
  };

  const slow = (port: number): LoadOrder => ({
    ...{ kind: 'slow', port, ...to, ...SLOW },
    ...{ upBytes: 0, downBytes: TENTH_BYTES },
  });
  return [
    await measure('2 GB download', download(WHOLE_BYTES), download(TENTH_BYTES)),
    await measure('2 GB upload', upload(WHOLE_BYTES), upload(TENTH_BYTES)),
    await measure('slow reader of 200 MiB', slow),
  ];
}
