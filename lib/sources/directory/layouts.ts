/**
 * Where programs that get certificates put them: which files of a folder belong together. PURE.
 *
 *   certbot, dehydrated   NAME/fullchain.pem + privkey.pem, beside cert.pem and chain.pem, which are not taken a second time
 *                         (certbot: docs/using.rst, "Where are my certificates?")
 *   nginx, Apache         cert.pem [+ chain.pem] + privkey.pem or key.pem
 *   acme.sh               NAME/fullchain.cer + NAME.key, and NAME_ecc/; beside NAME.cer (the leaf) and ca.cer (acme.sh: _initpath)
 *   lego                  certificates/NAME.crt (the whole chain) + NAME.key, a wildcard as _.example.com; beside NAME.issuer.crt,
 *                         NAME.json and, if asked for, NAME.pem with both (lego: cmd/internal/storage/certificates_writer.go)
 *   Caddy                 certificates/ISSUER/NAME/NAME.crt + NAME.key, beside NAME.json (certmagic: storage.go)
 *   Kubernetes            tls.crt + tls.key, links through ..data (the secret type kubernetes.io/tls)
 *   HAProxy               NAME.pem with the key in it, or NAME.pem + NAME.pem.key or NAME.key; NAME.pem.rsa, NAME.pem.ecdsa
 *                         (HAProxy: configuration.txt, crt and ssl-load-extra-files)
 */

/** The files of one certificate, by their names within a folder. */
export interface PairFiles {
  /** Together they are the chain: the leaf's file first. */
  readonly chain: readonly [string, ...string[]];
  /** The same as the chain's where one file is said to hold both. */
  readonly key: string;
}

/** What to tell somebody in whose directory nothing was recognised. */
export const LOOKED_FOR =
  'fullchain.pem with privkey.pem (certbot), fullchain.cer with NAME.key (acme.sh), tls.crt with tls.key (Kubernetes), ' +
  'NAME.crt, NAME.pem or NAME.cer with NAME.key (lego, Caddy), cert.pem with privkey.pem or key.pem (nginx, Apache), ' +
  'NAME.pem with the key in it or NAME.pem.key beside it (HAProxy); four folders deep, without archive, archives, backup and accounts';

/** Copies of what was in use earlier, keys of accounts, and what `mkfs` leaves. */
const LEFT_OUT_FOLDERS: readonly string[] = ['accounts', 'archive', 'archives', 'backup', 'lost+found'];
const OF_INTEREST = /\.(?:pem|crt|cer|key)$|\.pem\.(?:rsa|ecdsa|dsa)$/;
const MAY_HOLD_BOTH = /\.pem(?:\.(?:rsa|ecdsa|dsa))?$/;
/** Parts of a certificate, with a number or a date where they are old ones. */
const PART = /^(?:cert|chain|fullchain|privkey|key|dhparams?)[-\d]*\.pem$/;
const CHAIN_ENDINGS = ['.crt', '.pem', '.cer'] as const;
/** Names that only the two files of a pair have: one of them counts as a pair even when the other is missing. */
const HALVES: readonly string[] = ['fullchain.pem', 'privkey.pem', 'tls.crt', 'tls.key'];

/** Whether a folder of that name may hold certificates that are in use. */
export function isFolderOfInterest(name: string): boolean {
  return !name.startsWith('.') && !LEFT_OUT_FOLDERS.includes(name);
}

/** Whether a file of that name may belong to a certificate. */
export function isFileOfInterest(name: string): boolean {
  return !name.startsWith('.') && OF_INTEREST.test(name);
}

/** Whether something of that name is half a certificate, be it a folder (which is what a mistaken bind mount makes). */
export function isHalf(name: string): boolean {
  return HALVES.includes(name);
}

/**
 * The certificates of a folder.
 *
 * @param names the names of its files.
 * @param earlier what was recognised in it before: a pair of those still counts when one of its files is missing.
 */
export function recognise(names: readonly string[], earlier: readonly PairFiles[] = []): PairFiles[] {
  const files = new Set(names.filter(isFileOfInterest).sort());
  const pairs: PairFiles[] = [];
  const take = (pair: PairFiles, ...others: string[]): void => {
    pairs.push(pair);
    for (const file of [...pair.chain, pair.key, ...others]) files.delete(file);
  };

  if (files.has('fullchain.pem') || (files.has('privkey.pem') && !files.has('cert.pem'))) {
    take({ chain: ['fullchain.pem'], key: 'privkey.pem' }, 'cert.pem', 'chain.pem');
  }
  for (const key of ['privkey.pem', 'key.pem']) {
    if (!files.has('cert.pem') || !files.has(key)) continue;
    take({ chain: files.has('chain.pem') ? ['cert.pem', 'chain.pem'] : ['cert.pem'], key });
  }
  const key = files.has('fullchain.cer') ? keyOfAcmeSh(files) : undefined;
  if (key !== undefined) {
    take({ chain: ['fullchain.cer'], key }, ...[...files].filter((file) => file.endsWith('.cer')));
  }
  if (files.has('tls.crt') || files.has('tls.key')) take({ chain: ['tls.crt'], key: 'tls.key' });
  for (const file of [...files].filter((name) => name.endsWith('.key'))) {
    const base = file.slice(0, -'.key'.length);
    const candidates = [base, ...CHAIN_ENDINGS.map((ending) => base + ending)];
    const chain = candidates.find((name) => !name.endsWith('.key') && files.has(name));
    if (chain !== undefined) take({ chain: [chain], key: file }, ...candidates);
  }
  for (const file of files)
    if (MAY_HOLD_BOTH.test(file) && !PART.test(file)) take({ chain: [file], key: file });

  const present = new Set(names);
  const used = new Set(pairs.flatMap(filesOf));
  for (const pair of earlier) {
    const own = filesOf(pair);
    if (own.some((file) => present.has(file)) && !own.some((file) => used.has(file))) pairs.push(pair);
  }
  return pairs;
}

function filesOf({ chain, key }: PairFiles): string[] {
  return [...chain, key];
}

/** The key has the name of the leaf's file; without such a file it is the only key. */
function keyOfAcmeSh(files: ReadonlySet<string>): string | undefined {
  const keys = [...files].filter((file) => file.endsWith('.key'));
  const beside = [...files].filter(
    (file) => file.endsWith('.cer') && file !== 'ca.cer' && file !== 'fullchain.cer',
  );
  const named = beside.map((file) => `${file.slice(0, -'.cer'.length)}.key`);
  return keys.find((key) => named.includes(key)) ?? (keys.length === 1 ? keys[0] : named[0]);
}
