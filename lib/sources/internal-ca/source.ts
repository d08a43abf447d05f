/**
 * The source `ca`: mints certificates for allow-listed names with an authority of its own.
 *
 * The root lives in a directory: `root-key.pem` (0600) and `root.pem`, made on first use. The key decides: it appears under
 * its name at once or not at all, whoever comes second uses the first one's, and the certificate is made for the key that
 * is on disk. So programs that start together never end with two halves that do not match.
 *
 * Minted leaves are kept in memory, bounded, until less than a third of their life is left: when a cache above lapses, the
 * same certificate comes again, and workers need not parse a new one. They are not kept on disk; a restart mints anew.
 */
import { createPrivateKey, createPublicKey, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LRUCache } from 'lru-cache';
import { growingLru } from '../../base/growing-lru.js';
import { makeDirectory } from '../../base/make-directory.js';
import type { CertificatePair } from '../../domain/certificate.js';
import { codeOf, describeError, fileError, usageError } from '../../domain/errors.js';
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import { isWildcard, matchesPattern, type ServerName } from '../../domain/server-name.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import { generateKey } from '../../pki/keys.js';
import { mintLeaf, mintRoot } from '../../pki/mint.js';
import type { Authority } from '../../pki/signer.js';
import type { CertificateSource, LookupContext, SourceCheck } from '../source.js';

export interface InternalCaOptions {
  /** Created with mode 0700 where missing. */
  readonly dir: string;
  /** Patterns of the names to mint for. */
  readonly allow: readonly string[];
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  readonly log?: Logger;
  /** The most leaves to keep; one takes about 2 KB. @default 5000 */
  readonly maxLeaves?: number;
  /** Generates the leaves' keys. @default ECDSA keys, off the main thread */
  readonly makeKey?: typeof generateKey;
}

interface Leaf {
  readonly pair: CertificatePair;
  /** Before then a new one is minted: the clock was ahead. Milliseconds since 1970, as below. */
  readonly notBeforeMs: number;
  /** From then on a new one is minted, milliseconds since 1970. */
  readonly renewAtMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ROOT_VALIDITY_MS = 3650 * DAY_MS;
const LEAF_VALIDITY_MS = 90 * DAY_MS;
/** Certificates begin in the past, for clients whose clock is behind. */
const BACKDATED_MS = HOUR_MS;
const DEFAULT_MAX_LEAVES = 5_000;

export class InternalCaSource implements CertificateSource {
  readonly name = 'ca';
  /** Where the root's certificate is: what clients have to trust, as in `curl --cacert`. */
  readonly rootCertPath: string;
  readonly #root: Authority;
  readonly #rootCert: X509Certificate;
  readonly #allow: readonly string[];
  readonly #now: () => number;
  readonly #makeKey: typeof generateKey;
  readonly #leaves: LRUCache<ServerName, Leaf>;
  readonly #flights = new Map<ServerName, Promise<CertificatePair>>();
  readonly #closing = new AbortController();

  /**
   * Reads the root, or makes it.
   *
   * @throws ProxyError as of `fileError`, naming the file that cannot be used, and what to do about it.
   */
  static async open(options: InternalCaOptions): Promise<InternalCaSource> {
    return new InternalCaSource(options, await openRoot(options));
  }

  private constructor(options: InternalCaOptions, root: Authority) {
    this.rootCertPath = pathsIn(options.dir).certPath;
    this.#root = root;
    this.#rootCert = new X509Certificate(root.certPem);
    this.#allow = options.allow;
    this.#now = options.now;
    this.#makeKey = options.makeKey ?? generateKey;
    // One listener for each look-up under way, however many there are.
    setMaxListeners(0, this.#closing.signal);
    this.#leaves = growingLru(options.maxLeaves ?? DEFAULT_MAX_LEAVES);
  }

  async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    const { signal, mayOrder, isInspection } = context;
    if (this.#closing.signal.aborted) return unavailable('it is closed');
    if (signal.aborted) return unavailable('the look-up was given up');
    // Do not complete another source's certificate with a half of ours: clients of that one do not trust our authority.
    if (mayOrder === false && isInspection !== true) return { kind: 'absent' };
    if (!this.#isMintable(name)) return { kind: 'absent' };
    if (context.isServedAbove !== undefined && (await context.isServedAbove()) === 'yes')
      return { kind: 'absent' };
    const leaf = this.#leaves.get(name);
    if (leaf !== undefined && isGoodAt(this.#now(), leaf)) return found(leaf.pair);
    if (isInspection === true) return { kind: 'absent' };
    try {
      return found(await untilAborted(this.#flightOf(name), [signal, this.#closing.signal]));
    } catch (error) {
      return unavailable(describeError(error));
    }
  }

  inspect(name: ServerName): Promise<SourceInspection> {
    const isKept = this.#leaves.peek(name) !== undefined;
    const text = 'it makes one as soon as a client asks for the name';
    return Promise.resolve({
      remarks: this.#isMintable(name) && !isKept ? [{ kind: 'would mint', text }] : [],
    });
  }

  check(): Promise<SourceCheck> {
    if (this.#closing.signal.aborted) return Promise.resolve({ ok: false, reason: 'it is closed' });
    const reason = this.#rootTrouble();
    return Promise.resolve(reason === undefined ? { ok: true } : { ok: false, reason });
  }

  /** The next look-up mints a new certificate. */
  forget(name?: ServerName): void {
    if (name === undefined) {
      this.#leaves.clear();
      this.#flights.clear();
    } else {
      this.#leaves.delete(name);
      this.#flights.delete(name);
    }
  }

  close(): Promise<void> {
    this.#closing.abort(new Error('it is closed'));
    this.forget();
    return Promise.resolve();
  }

  /** Why nothing that is minted now would be valid. */
  #rootTrouble(): string | undefined {
    if (this.#now() >= Date.parse(this.#rootCert.validTo)) {
      return `${this.rootCertPath} has expired: remove it with its key, and a new root is made`;
    }
    return notYetText(this.rootCertPath, this.#rootCert, this.#now());
  }

  #isMintable(name: ServerName): boolean {
    return !isWildcard(name) && this.#allow.some((pattern) => matchesPattern(name, pattern));
  }

  #flightOf(name: ServerName): Promise<CertificatePair> {
    const underWay = this.#flights.get(name);
    if (underWay !== undefined) return underWay;
    const flight = this.#mint(name).then(
      (leaf) => {
        // Forgotten meanwhile: those who wait get it, nobody after them.
        if (this.#flights.get(name) === flight) {
          this.#flights.delete(name);
          this.#leaves.set(name, leaf);
        }
        return leaf.pair;
      },
      (error: unknown) => {
        if (this.#flights.get(name) === flight) this.#flights.delete(name);
        throw error;
      },
    );
    this.#flights.set(name, flight);
    return flight;
  }

  async #mint(name: ServerName): Promise<Leaf> {
    const key = await this.#makeKey('ec');
    const trouble = this.#rootTrouble();
    if (trouble !== undefined) throw usageError(trouble);
    const nowMs = this.#now();
    const notBeforeMs = nowMs - BACKDATED_MS;
    const pair = mintLeaf({
      names: [name],
      key,
      issuer: this.#root,
      notBeforeMs,
      notAfterMs: nowMs + LEAF_VALIDITY_MS,
    });
    const lifeMs = Math.min(LEAF_VALIDITY_MS, Date.parse(this.#rootCert.validTo) - nowMs);
    return { pair, notBeforeMs, renewAtMs: nowMs + (lifeMs * 2) / 3 };
  }
}

function isGoodAt(nowMs: number, { notBeforeMs, renewAtMs }: Leaf): boolean {
  return nowMs >= notBeforeMs && nowMs < renewAtMs;
}

/** What to do about a root that is not valid yet: one that was made while the clock was ahead, or it is behind now. */
function notYetText(path: string, cert: X509Certificate, nowMs: number): string | undefined {
  if (nowMs >= Date.parse(cert.validFrom)) return undefined;
  const remedy = 'if it is right, stop, remove the file with its key, and start: a new root is made';
  return `${path} is not valid before ${cert.validFrom}: set the clock if it is behind; ${remedy}`;
}

function found(pair: CertificatePair): Lookup {
  return { kind: 'found', candidates: [[pair]] };
}

function unavailable(reason: string): Lookup {
  return { kind: 'unavailable', reason, scope: 'source' };
}

/** Waits for work that goes on by itself, until one of the signals aborts; then rejects with its reason. */
function untilAborted<T>(work: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      const reason: unknown = signals.find((signal) => signal.aborted)?.reason;
      reject(reason instanceof Error ? reason : new Error('the look-up was given up'));
    };
    for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => {
      for (const signal of signals) signal.removeEventListener('abort', stop);
    });
  });
}

function pathsIn(dir: string): { keyPath: string; certPath: string } {
  return { keyPath: join(dir, 'root-key.pem'), certPath: join(dir, 'root.pem') };
}

async function openRoot({ dir, now, log = silentLogger }: InternalCaOptions): Promise<Authority> {
  const { keyPath, certPath } = pathsIn(dir);
  await attempt(`the directory ${dir} of the internal CA cannot be made`, () => makeDirectory(dir));
  // The certificate first: another program may be writing the two, and it writes the key first.
  const certOnDisk = await readIfThere(certPath);
  const keyOnDisk = await readIfThere(keyPath);
  if (keyOnDisk === undefined && certOnDisk !== undefined) {
    throw usageError(`${keyPath} is missing: put it back, or remove ${certPath} too and a new root is made`);
  }
  const keyPem = keyOnDisk ?? (await publish(keyPath, (await generateKey('ec')).privateKeyPem, 0o600));
  const privateKey = parseKey(keyPath, keyPem);
  const certPem = certOnDisk ?? (await publishCert(certPath, privateKey, keyPem, now()));
  const cert = parseCert(certPath, certPem);
  if (!cert.checkPrivateKey(privateKey)) {
    throw usageError(`${keyPath} and ${certPath} do not belong together: ${REMEDY}`);
  }
  if (!cert.ca) throw usageError(`${certPath} is not the certificate of an authority: ${REMEDY}`);
  if (now() >= Date.parse(cert.validTo)) {
    throw usageError(`${certPath} has expired on ${cert.validTo}: remove both files and a new root is made`);
  }
  // Not thrown: a machine without a clock of its own starts in the past, and is right soon after.
  const reason = notYetText(certPath, cert, now());
  if (reason !== undefined) log.err('the root of the internal CA is not valid yet', { reason });
  await warnOfLooseMode(keyPath, log);
  const message = certOnDisk === undefined ? 'the internal CA has made its root' : 'the internal CA is open';
  log[certOnDisk === undefined ? 'notice' : 'info'](message, { root: certPath });
  return { certPem, keyPem };
}

const REMEDY = 'put the right one back, or remove both files and a new root is made';

async function publishCert(
  path: string,
  privateKey: KeyObject,
  privateKeyPem: string,
  nowMs: number,
): Promise<string> {
  const { certPem } = mintRoot({
    commonName: 'peter-sslers-proxy internal CA',
    key: { privateKeyPem, privateKey, publicKey: createPublicKey(privateKey) },
    nowMs: nowMs - BACKDATED_MS,
    validityMs: ROOT_VALIDITY_MS,
  });
  return publish(path, certPem, 0o644);
}

/**
 * Writes a file so that nobody ever sees half of it, unless there is one already.
 *
 * @returns what is on disk under that name now: the text given, or that of whoever was first.
 */
async function publish(path: string, text: string, mode: number): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  return attempt(`${path} cannot be written`, async () => {
    const file = await open(draft, 'wx', mode);
    try {
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      // Unlike a rename, a link replaces nothing.
      await link(draft, path).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
      });
    } finally {
      await unlink(draft);
    }
    return readFile(path, 'utf8');
  });
}

function readIfThere(path: string): Promise<string | undefined> {
  return attempt(`${path} cannot be read`, async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}

function parseKey(path: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw usageError(`${path} is not an unencrypted PEM private key: ${REMEDY}`);
  }
  if (key.asymmetricKeyType === 'ec' || key.asymmetricKeyType === 'rsa') return key;
  throw usageError(`${path} is neither an RSA nor an EC key: ${REMEDY}`);
}

function parseCert(path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw usageError(`${path} is not a PEM certificate: ${REMEDY}`);
  }
}

async function warnOfLooseMode(path: string, log: Logger): Promise<void> {
  const { mode } = await attempt(`${path} cannot be read`, () => stat(path));
  if ((mode & 0o077) !== 0) log.err('the key of the internal CA is open to other users: chmod 600', { path });
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(`${what}: ${describeError(error)}`, error);
  }
}
