/**
 * Every certificate of `--cert-dir`: what cannot be served on this Node, what clients will refuse, and whom its keys are open to.
 *
 * It is read as the program reads it, but with every key, and each pair is tried in OpenSSL. Nothing is remembered on disk.
 */
import { startUnrefTimer } from '../base/timer.js';
import { bundleOf } from '../domain/certificate.js';
import { examinePair } from '../domain/examination.js';
import { shortcomingsOf } from '../domain/shortcomings.js';
import { ServableCertificates } from '../resolver/servable.js';
import { DirectoryFiles, forEachBounded } from '../sources/directory/files.js';
import { LOOKED_FOR } from '../sources/directory/layouts.js';
import { indexOf, leavesOf, type DirectoryIndex, type Leaf } from '../sources/directory/name-index.js';
import { NOTHING_READ, readDirectory, type Reading } from '../sources/directory/reading.js';
import { isSuperseded } from '../sources/directory/shortcomings.js';
import { canBeOpened } from '../sources/directory/time-limits.js';
import { hasRecognisedNothing, unrecognisedNames } from '../sources/directory/unrecognised.js';
import { finding, type Finding } from './finding.js';
import { isReadByAll } from './permissions.js';
import { within } from '../base/within.js';

const AREA = 'certificates';
/** Ten thousand certificates take half a minute. That the directory answers at all is found out before. */
const LIMIT_MS = 120_000;
const CONCURRENT_LOOKS = 16;
/** Those are of the past: clients refuse the certificate. */
const OUTDATED = /^it (?:expired|is not valid)/;

export interface CertDirCheck {
  readonly findings: Finding[];
  /** When the newest certificate begins, milliseconds since 1970. */
  readonly newestNotBeforeMs?: number;
}

/** @param now milliseconds since 1970. Never rejects. */
export async function checkCertDir(dir: string, now: () => number): Promise<CertDirCheck> {
  const files = new DirectoryFiles();
  const opened = await canBeOpened(files, dir, startUnrefTimer);
  const remedy = 'see that it is there, mounted, and open to the user that the program runs as';
  if (!opened.ok) return { findings: [finding('error', AREA, dir, opened.reason, remedy)] };
  const late = (): CertDirCheck => ({
    findings: [finding('error', AREA, dir, 'it could not be read in time', remedy)],
  });
  return within(readAndCheck(files, dir, now), late, LIMIT_MS);
}

async function readAndCheck(files: DirectoryFiles, dir: string, now: () => number): Promise<CertDirCheck> {
  const servable = new ServableCertificates();
  const refusals = new Map<string, string>();
  const reading = await readDirectory(NOTHING_READ, {
    root: dir,
    files,
    now,
    maxKeysChecked: Infinity,
    pairOf: () => undefined,
    // Tried at once, so that not all keys of a large directory are in memory.
    keep: (id, _version, pair) => {
      const examination = examinePair(pair, undefined);
      if ('unusable' in examination) return;
      const refusal = servable.refusalOf(bundleOf([examination.examined.half]));
      if (refusal !== null) refusals.set(id, refusal);
    },
  });
  const index = indexOf(reading.entries, reading.unknown);
  const leaves = [...leavesOf(index)];
  const findings = [
    ...unreadable(reading),
    ...unusable(reading),
    ...(await openKeys(reading)),
    ...leaves.flatMap((leaf) => ofLeaf(leaf, index, refusals, now())),
    ...(await nothingRecognised(files, dir, reading)),
  ];
  const newest = leaves.reduce((last, { certificate }) => Math.max(last, certificate.notBeforeMs), -Infinity);
  return {
    findings:
      findings.length > 0
        ? findings
        : [finding('ok', AREA, dir, `${leaves.length} can be served, for ${index.names.size} names`)],
    ...(Number.isFinite(newest) && { newestNotBeforeMs: newest }),
  };
}

function unreadable({ unreadable: folders }: Reading): Finding[] {
  const remedy = 'let the user that the program runs as read it';
  return [...folders].map(([path, reason]) => finding('error', AREA, path, reason, remedy));
}

function unusable({ entries }: Reading): Finding[] {
  return [...entries.values()].flatMap(({ trouble, paths }) => {
    if (trouble === undefined) return [];
    const remedy = trouble.reason.includes('does not belong')
      ? 'put the key beside the certificate that it was made for'
      : trouble.reason.includes('missing')
        ? 'put it there, or remove the rest'
        : 'get the files anew from whoever issues them';
    return [
      finding('error', AREA, paths.chain[0], trouble.reason.replace(`${paths.chain[0]}: `, ''), remedy),
    ];
  });
}

async function openKeys({ entries }: Reading): Promise<Finding[]> {
  const found: Finding[] = [];
  const keys = new Set(
    [...entries.values()]
      .filter(({ certificate, trouble }) => certificate !== undefined || trouble !== undefined)
      .map(({ paths }) => paths.key),
  );
  await forEachBounded(keys, CONCURRENT_LOOKS, async (path) => {
    if (!(await isReadByAll(path))) return;
    const what = 'the private key is open to everybody on this machine';
    found.push(finding('warning', AREA, path, what, `chmod o-rwx ${path}`));
  });
  return found;
}

function ofLeaf(
  leaf: Leaf,
  index: DirectoryIndex,
  refusals: ReadonlyMap<string, string>,
  nowMs: number,
): Finding[] {
  const { certificate, paths, id } = leaf;
  const [file] = paths.chain;
  const refusal = refusals.get(id);
  if (refusal !== undefined) {
    const what = `OpenSSL ${process.versions.openssl} of this Node does not serve it: ${refusal}`;
    return [finding('error', AREA, file, what, 'have one issued with a key and a signature of today')];
  }
  // Another one is served for all of its names.
  if (isSuperseded(leaf, index, nowMs)) return [];
  return shortcomingsOf(certificate.standing, certificate, nowMs).map((what) =>
    finding(OUTDATED.test(what) ? 'error' : 'warning', AREA, file, what, remedyFor(what)),
  );
}

function remedyFor(shortcoming: string): string {
  if (shortcoming.includes('intermediate certificate is missing')) {
    return 'put the whole chain there: fullchain.pem, not cert.pem';
  }
  if (shortcoming.includes('must-staple')) return 'have one issued without must-staple';
  if (shortcoming.includes('is not valid before')) return 'wait for it, or set the clock of this machine';
  return 'renew it: see why its renewal has not come';
}

async function nothingRecognised(files: DirectoryFiles, dir: string, reading: Reading): Promise<Finding[]> {
  if (!hasRecognisedNothing(reading)) return [];
  const what = `no certificate was recognised; there is ${await unrecognisedNames(files, dir, reading)}`;
  return [finding('warning', AREA, dir, what, `it looks for ${LOOKED_FOR}`)];
}
