/**
 * The program with its metrics at hand: it embeds the library, and writes their text whenever it is asked to by a signal.
 *
 *     await using metered = await startMetered({ workers: 2 });
 *     const metrics = await metered.read();
 */
import type { SettingValue } from '../../lib/index.js';
import { startEmbedder } from './embedder.js';
import { eventually } from './eventually.js';
import { readMetrics, type MetricsText } from './metrics-text.js';
import type { Program } from './program.js';

const SCRIPT = `
  process.on('SIGUSR2', () => process.stdout.write('metrics ' + JSON.stringify(proxy.metricsText()) + '\\n'));
  process.on('SIGHUP', () => void proxy.reload().then(() => process.stdout.write('reloaded\\n')));
`;

export interface Metered extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
  /** The text as it is now. What workers have counted is in it after a second. */
  text(): Promise<string>;
  read(): Promise<MetricsText>;
  /** Reads until something is true of the metrics. */
  until(what: string, isTrue: (metrics: MetricsText) => boolean): Promise<MetricsText>;
  /** As SIGHUP does for the program. */
  reload(): Promise<void>;
}

/** @param settings undefined: not given, also where the tests have one of their own. */
export async function startMetered(
  settings: Readonly<Record<string, SettingValue | undefined>>,
): Promise<Metered> {
  const program = await startEmbedder(settings, SCRIPT);
  const texts = (): RegExpMatchArray[] => [...program.stdout.matchAll(/^metrics (.*)\n/gm)];
  const text = async (): Promise<string> => {
    const count = texts().length;
    program.kill('SIGUSR2');
    await program.until('it has written its metrics', () => texts().length > count);
    return JSON.parse(texts().at(-1)?.[1] ?? '""') as string;
  };
  const read = async (): Promise<MetricsText> => readMetrics(await text());
  return {
    program,
    port: program.port,
    text,
    read,
    async until(what, isTrue) {
      let metrics = await read();
      await eventually(what, async () => {
        metrics = await read();
        return isTrue(metrics);
      });
      return metrics;
    },
    async reload() {
      const count = program.stdout.split('reloaded\n').length;
      program.kill('SIGHUP');
      await program.until('it has reloaded', ({ stdout }) => stdout.split('reloaded\n').length > count);
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
