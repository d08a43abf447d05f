/**
 * The contract of a certificate source: a place outside this process that may have the certificate of a name.
 *
 * 1. `lookup` never throws and never rejects: whatever goes wrong is `unavailable` with a reason.
 * 2. `absent` is said only when the source answered and has none. Half an entry, an error page or a timeout is
 *    `unavailable`.
 * 3. `lookup` settles, whatever becomes of what it waits for; soon after `signal` aborts with `unavailable`.
 * 4. A source examines nothing: whether a certificate fits the name is judged in one place, by the resolver.
 * 5. A source writes nothing into what it reads.
 * 6. No reason and no error holds key material or a password.
 *
 * `test/support/source-contract.ts` runs against every implementation.
 */
import type { SourceInspection } from '../domain/inspection.js';
import type { Lookup } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';

export type ServedAbove = 'yes' | 'no' | 'unknown';

export interface LookupContext {
  /**
   * Aborts when nobody wants the answer any more: the source is being closed, or the person who wants to know (`isInspection`) waits no
   * longer. A look-up that takes long is not aborted, for its answer is of use to the next client: a source has its own time limit. Until
   * one has settled, its name is not looked up anew.
   */
  readonly signal: AbortSignal;
  /** The address of the client whose handshake started the look-up: what a rate limit is shared between. */
  readonly client?: string;
  /** The id of that handshake: a line of the log about the look-up has it. */
  readonly handshake?: string;
  /**
   * Whether a certificate of this name is known from earlier. A source that can order one then does not order another because of
   * an ambiguous answer.
   */
  readonly known?: boolean;
  /** False: this look-up must not order or mint anything. @default true */
  readonly mayOrder?: boolean;
  /**
   * Why no certificate should be ordered from elsewhere now, as one clause: another may be there, or the last one serves on. What a
   * source mints itself costs nobody anything, and replaces itself in time.
   */
  readonly orderObstacle?: string;
  /**
   * To be asked before an order or a minting: whether the certificate of the wildcard above serves the name, which then needs none.
   * `unknown`: not just now. Never rejects. Absent: `no`.
   */
  isServedAbove?(this: void): Promise<ServedAbove>;
  /**
   * A person wants to know: nothing is ordered, minted, written or remembered for it, and no limit holds it up. @default false
   */
  readonly isInspection?: boolean;
  /**
   * To be called when the look-up becomes an order, which takes seconds: every waiter is released but the one that started it.
   * Where `mayWait` is false, because the order is too far back in the queue, that one is released too.
   */
  onOrder?(order: { readonly mayWait: boolean }): void;
}

/** The outcome of `check`: the source can be reached and used, or one sentence says what is wrong. */
export type SourceCheck = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * What a source is to the others: an `authority` knows what has been withdrawn and renewed; a `copy` holds what an authority
 * once said, and may be behind it.
 */
export type SourceRole = 'authority' | 'copy';

/** What has changed in a source: these names, or (undefined) any. A wildcard stands for the names below it, too. */
export type ChangedNames = readonly ServerName[] | undefined;

export interface CertificateSource {
  /** As in the logs and on the information page: `redis`, `manager`, `directory`, `ca`. No two sources have the same. */
  readonly name: string;
  readonly role?: SourceRole;
  /** It answers from memory: it is asked even when a good certificate is there, for the other half of a pair. @default false */
  readonly isLocal?: boolean;
  /** It has certificates for IP addresses: only then it is asked for them. @default false */
  readonly hasAddresses?: boolean;
  /** Looks a name up. `name` may be a wildcard (`*.example.com`), which is then looked up literally. */
  lookup(name: ServerName, context: LookupContext): Promise<Lookup>;
  /** Whether the source can be reached. Never rejects; has its own time limit. Used to probe a failing source. */
  check(): Promise<SourceCheck>;
  /**
   * What there is to say of a name beside its look-up, for a person. Only reads. Never rejects; ends soon after `signal` aborts.
   */
  inspect?(name: ServerName, options: { readonly signal: AbortSignal }): Promise<SourceInspection>;
  /** Forgets what is remembered of a name by hand (an order's hold-off), or of all names. */
  forget?(name?: ServerName): void;
  /**
   * For a source that notices changes by itself: tells `listener` of the names concerned, when look-ups answer with what is
   * new. One listener at a time.
   */
  onChange?(listener: (names: ChangedNames) => void): void;
  /** Ends connections and watchers. Look-ups under way end with `unavailable`. */
  close(): Promise<void>;
}
