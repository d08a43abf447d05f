/** A directory source on a new temporary directory for each test, with a clock and timers that the test moves. */
import { join } from 'node:path';
import type { CertificatePair } from '../../../../lib/domain/certificate.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import { addressName, normaliseDomain, type ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger, type LogFields } from '../../../../lib/log/logger.js';
import { DirectorySource } from '../../../../lib/sources/directory/source.js';
import {
  makeTempDir,
  makeTestCa,
  writePair,
  type IssueOptions,
  type TestCa,
} from '../../../support/certificates.js';
import { ManualTime, settled } from '../../../support/manual-time.js';

export const DAY_MS = 86_400_000;
export const POLL_MS = 2_000;

/** To be called within `describe`. The fields are new for each test. */
export class DirectoryStage {
  ca!: TestCa;
  dir = '';
  time = new ManualTime();
  errors: { message: string; fields: LogFields | undefined }[] = [];
  notices: { message: string; fields: LogFields | undefined }[] = [];
  debugs: { message: string; fields: LogFields | undefined }[] = [];
  /** What each source told, name by name in order. */
  told: (string[] | undefined)[] = [];
  readonly #opened: DirectorySource[] = [];

  constructor() {
    let remove: () => Promise<void>;
    before(async () => {
      this.ca = await makeTestCa();
    });
    beforeEach(async () => {
      ({ dir: this.dir, remove } = await makeTempDir());
      this.time = new ManualTime(Date.now());
      this.errors = [];
      this.notices = [];
      this.debugs = [];
      this.told = [];
    });
    afterEach(async () => {
      for (const source of this.#opened.splice(0)) await source.close();
      await remove();
    });
  }

  async open(
    dir = this.dir,
    options: { maxKeysChecked?: number; memoryFile?: string } = {},
  ): Promise<DirectorySource> {
    const log = {
      ...silentLogger,
      err: (message: string, fields?: LogFields) => void this.errors.push({ message, fields }),
      notice: (message: string, fields?: LogFields) => void this.notices.push({ message, fields }),
      debug: (message: string, fields?: LogFields) => void this.debugs.push({ message, fields }),
    };
    const { now, startTimer } = this.time;
    const source = await DirectorySource.open({ dir, now, log, pollMs: POLL_MS, startTimer, ...options });
    this.#opened.push(source);
    source.onChange((names) => this.told.push(names && [...names].sort()));
    return source;
  }

  /** Lets one poll fall due, and waits until it has ended. */
  async poll(): Promise<void> {
    await this.time.advance(POLL_MS);
    while (this.time.delaysMs.length === 0) await settled();
  }

  /** Issues a certificate into a folder. */
  async place(folder: string, names: string[], options?: IssueOptions): Promise<CertificatePair> {
    const pair = await this.ca.issue(names, options);
    await writePair(join(this.dir, folder), pair);
    return pair;
  }
}

export function look(source: DirectorySource, name: string): Promise<Lookup> {
  return source.lookup(domain(name), { signal: new AbortController().signal });
}

/** The chains that a look-up hands over, candidate by candidate. */
export async function chains(source: DirectorySource, name: string): Promise<string[][]> {
  const result = await look(source, name);
  if (result.kind !== 'found') throw new Error(`expected found: ${JSON.stringify(result)}`);
  return result.candidates.map((pairs) => pairs.map(({ chainPem }) => chainPem));
}

function domain(text: string): ServerName {
  const name = normaliseDomain(text) ?? addressName(text);
  if (name === undefined) throw new Error(`not a name: ${text}`);
  return name;
}
