/**
 * What is right for a name, given what its sources may have held: the documented rules in simple terms, written again without
 * the program's own code.
 *
 * Of all certificates the first that is right in every respect is served, in the order of the sources; where there is none, the
 * least wrong one: valid before outdated, for servers before others, with its issuer before self-signed.
 *
 * After an expire by hand the manager is asked before Redis, and Redis only where the manager is silent. Where Redis has an older one
 * than the manager may have given before, the manager's goes before it, and while the manager cannot tell, the one from before.
 */
import type { Content, KnownCertificate } from './truth-history.js';
import type { SourceName } from './truth-plan.js';

/** What a look-up may come to. */
export type Outcome =
  | { readonly kind: 'certificate'; readonly certificate: KnownCertificate }
  /** Every source said that there is none. */
  | { readonly kind: 'absent' }
  /** There is none that may be served, and a source could not tell. */
  | { readonly kind: 'trouble' };

/** What each source may have said: at least one possibility each. */
export type Possibilities = Readonly<Record<SourceName, readonly Content[]>>;

/**
 * @param purged whether the name may have been expired by hand (true), or may not (false) have been.
 * @param newestMs the latest `notBefore` of what the manager has had and is valid.
 */
export function outcomesOf(
  possible: Possibilities,
  purged: readonly boolean[],
  newestMs = -Infinity,
): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const directory of possible.directory) {
    for (const redis of possible.redis) {
      for (const manager of possible.manager) {
        for (const isPurged of purged) {
          const answers = isPurged ? [directory, manager] : [directory, redis, manager];
          if (!isPurged && redis.kind === 'certificate' && redis.certificate.notBeforeMs < newestMs) {
            outcomes.push(lookUp([directory, manager, redis]));
            if (manager.kind === 'silent' || manager.kind === 'unusable') outcomes.push({ kind: 'trouble' });
          }
          if (!isPurged || manager.kind !== 'silent') outcomes.push(lookUp(answers));
          // Nonsense may count as silence.
          if (isPurged && (manager.kind === 'silent' || manager.kind === 'unusable')) {
            outcomes.push(lookUp([directory, manager, redis]));
          }
        }
      }
    }
  }
  return outcomes;
}

function lookUp(answers: readonly Content[]): Outcome {
  const certificates = answers.flatMap((content) =>
    content.kind === 'certificate' ? [content.certificate] : [],
  );
  // Stable: the order of the sources among equals.
  const [best] = certificates.sort((a, b) => merit(b) - merit(a));
  if (best !== undefined) return { kind: 'certificate', certificate: best };
  return { kind: answers.every(({ kind }) => kind === 'nothing') ? 'absent' : 'trouble' };
}

function merit({ isValid, isForServers, hasIssuer }: KnownCertificate): number {
  return 4 * Number(isValid) + 2 * Number(isForServers) + Number(hasIssuer);
}
