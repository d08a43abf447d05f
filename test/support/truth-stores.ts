/**
 * The three sources of the scenario "truth", and how what they hold is changed.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import type { Stage } from './stage.js';
import type { Stuff } from './truth-certificates.js';
import type { Content, History } from './truth-history.js';
import type { SourceName } from './truth-plan.js';

const NOTHING: Content = { kind: 'nothing' };
/** What the program asks the manager for to find out whether it is well. */
const CHECK_NAME = 'check.peter-sslers-proxy.invalid';

export class TruthStores {
  readonly #stage: Stage;
  readonly #dir: string;
  readonly #history: History;
  readonly #redis;
  readonly #inRedis = new Map<string, CertificatePair>();
  /** What is done to Redis, one after the other: while it is empty or frozen nothing else is. */
  #redisQueue: Promise<unknown> = Promise.resolve();

  constructor(stage: Stage, dir: string, history: History) {
    this.#stage = stage;
    this.#dir = dir;
    this.#history = history;
    this.#redis = stage.redis.client();
  }

  /** @param stuff undefined: the source loses what it has. */
  put(name: string, source: SourceName, stuff: Stuff | undefined, kind: string): Promise<unknown> {
    switch (source) {
      case 'directory':
        return this.#putIntoDirectory(name, stuff, kind);
      case 'redis':
        return this.#throughRedisQueue(() => this.#putIntoRedis(name, stuff, kind));
      case 'manager':
        return this.#history.change(name, source, kind, stuff?.content ?? NOTHING, () => {
          if (stuff === undefined) this.#stage.manager.remove(name);
          else this.#stage.manager.setCertificate(name, stuff.pair);
        });
    }
  }

  /** Redis loses everything, and has it again after a while. */
  emptyRedis(forMs: number): Promise<unknown> {
    return this.#throughRedisQueue(async () => {
      const held = [...this.#inRedis];
      const before = new Map(held.map(([name]) => [name, this.#history.current(name, 'redis')]));
      let emptied: Promise<unknown> | undefined;
      const empty = async (): Promise<void> => {
        await (emptied ??= this.#redis.flushdb());
      };
      await Promise.all(held.map(([name]) => this.#history.change(name, 'redis', 'empty', NOTHING, empty)));
      await pause(forMs);
      const refill = ([name, { chainPem, keyPem }]: (typeof held)[number]): Promise<void> =>
        this.#history.change(name, 'redis', 'refill', before.get(name) ?? NOTHING, async () => {
          await this.#redis.hset(`d2:${name}`, { f: chainPem, p: keyPem });
        });
      await Promise.all(held.map(refill));
    });
  }

  /** Redis answers nothing for a while. */
  freezeRedis(forMs: number): Promise<unknown> {
    return this.#throughRedisQueue(async () => {
      const end = this.#history.begin(this.#history.outages.redis);
      this.#stage.redis.freeze();
      await pause(forMs);
      this.#stage.redis.thaw();
      end();
    });
  }

  /** The manager answers 503 for a while, whatever it is asked. */
  async sickenManager(forMs: number): Promise<void> {
    const names = [...this.#history.names(), CHECK_NAME];
    const end = this.#history.begin(this.#history.outages.manager);
    for (const name of names) this.#stage.manager.answer('GET', name, { status: 503 });
    await pause(forMs);
    for (const name of names) this.#stage.manager.answer('GET', name, { status: 503, times: 0 });
    end();
  }

  async #putIntoDirectory(name: string, stuff: Stuff | undefined, kind: string): Promise<void> {
    const folder = join(this.#dir, name);
    if (stuff === undefined) {
      return this.#history.change(name, 'directory', kind, NOTHING, () =>
        rm(folder, { recursive: true, force: true }),
      );
    }
    await this.#history.change(name, 'directory', kind, this.#contentOnDisk(name, stuff), async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'privkey.pem'), stuff.pair.keyPem);
      await writeFile(join(folder, 'new'), stuff.pair.chainPem);
      await rename(join(folder, 'new'), join(folder, 'fullchain.pem'));
    });
  }

  /** The directory goes by the names in certificates, and keeps what was good until something better can be read. */
  #contentOnDisk(name: string, { make, content }: Stuff): Content {
    if (make === 'other-name') return NOTHING;
    const before = this.#history.current(name, 'directory');
    return make === 'cut' && before.kind !== 'nothing' ? before : content;
  }

  async #putIntoRedis(name: string, stuff: Stuff | undefined, kind: string): Promise<void> {
    await this.#history.change(name, 'redis', kind, stuff?.content ?? NOTHING, async () => {
      if (stuff === undefined) {
        this.#inRedis.delete(name);
        await this.#redis.del(`d2:${name}`);
      } else {
        const { chainPem, keyPem } = stuff.pair;
        this.#inRedis.set(name, stuff.pair);
        await this.#redis.hset(`d2:${name}`, { f: chainPem, p: keyPem });
      }
    });
  }

  #throughRedisQueue(act: () => Promise<void>): Promise<unknown> {
    return (this.#redisQueue = this.#redisQueue.then(act));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
