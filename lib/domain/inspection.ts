/**
 * What is known of one name at one moment, everywhere in the program: the facts from which `diagnosis/` says why a certificate is
 * served. All of it is plain JSON, since parts cross the bus and all of it is printed. No private key is ever in it.
 */
import type { LeafFacts } from './leaf-facts.js';
import type { Tier } from './lookup.js';

/** A certificate somewhere in the caches. */
export interface CachedFacts {
  readonly state: 'fresh' | 'stale';
  /** Milliseconds since it was put there, or found unchanged. */
  readonly ageMs: number;
  /** How much longer it is fresh, milliseconds; 0 where it is stale. */
  readonly leftMs: number;
  /** The tier that it came from. */
  readonly tier: Tier;
  /** SHA-256 of each leaf in it. */
  readonly fingerprints: readonly string[];
  /** Until when all of it is valid, milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** That a name has no certificate, or that nobody could tell, as a cache remembers it. */
export interface NegativeFacts {
  /** `refused`: OpenSSL serves none of what there is. */
  readonly kind: 'absent' | 'error' | 'refused';
  readonly ageMs: number;
  readonly leftMs: number;
  /** Unless it is absent. */
  readonly reason?: string;
}

/** One worker. */
export interface WorkerFacts {
  readonly pid: number;
  /** Its LRU. Absent: nothing is known of the name there. */
  readonly cached?: CachedFacts;
  readonly negative?: NegativeFacts;
  /** The primary has not answered it in time: it goes on without. */
  readonly isPrimaryLate: boolean;
}

/** A worker, or why it could not be asked. */
export type AskedWorker = WorkerFacts | { readonly pid: number; readonly failure: string };

/** What the primary keeps of a name. */
export interface PrimaryFacts {
  readonly cached?: CachedFacts & {
    readonly leaves: readonly LeafFacts[];
    /** It is kept for want of a better one. */
    readonly isProvisional: boolean;
    /** For how long every source has said that there is none; the certificate serves on meanwhile. */
    readonly absentForMs?: number;
  };
  readonly negative?: NegativeFacts;
  /** A look-up under way. */
  readonly lookUp?: { readonly forMs: number; readonly isOrder: boolean };
  /** It was expired by hand, and the authority has not had a certificate since. */
  readonly isPurged: boolean;
}

/** One certificate that a source has for the name. */
export interface CandidateFacts {
  /** Absent where nothing of it can be parsed. */
  readonly leaf?: LeafFacts;
  /**
   * `best`: what would be served of all that there is. `good`: it could be, and another one is better. `outdated`: only where
   * there is nothing else. `unusable`: never.
   */
  readonly verdict: 'best' | 'good' | 'outdated' | 'unusable';
  /** Why it is outdated or unusable. */
  readonly reason?: string;
}

/** What a source has to say beside its look-up, one clause each. */
export interface SourceRemark {
  readonly kind:
    | 'other style'
    /** The manager's keys are somewhere else. */
    | 'survey'
    | 'unreadable'
    /** It makes a certificate when a client asks. */
    | 'would mint';
  readonly text: string;
}

/** What the last order of a name came to, where it brought no certificate. */
export interface OrderFailure {
  readonly message: string;
  /** The manager has said no, in these words. */
  readonly isRefusal: boolean;
  readonly agoMs: number;
}

/** Whether the manager would be asked to order a certificate, and what is known of earlier orders. */
export interface OrderFacts {
  readonly isEnabled: boolean;
  /** The pattern of `--autocert-allow` that has the name. */
  readonly allowedBy?: string;
  /** Why it would not be ordered, one clause. Absent: it would be. */
  readonly obstacle?: string;
  /** The obstacle is that no pattern has it. */
  readonly isNotAllowed?: boolean;
  /** What `--autocert-ask` says now; absent where it is not in use, or the name is not allowed in the first place. */
  readonly ask?: { readonly says: 'yes' | 'no' | 'nothing'; readonly failure?: string };
  /** How far an order under way is. */
  readonly stage?: 'asking' | 'queued' | 'running' | 'missed';
  /** How much longer it is not ordered after the last attempt, milliseconds. */
  readonly heldMs: number;
  /** How much longer somebody else is believed to order it, milliseconds. */
  readonly activeElsewhereMs: number;
  readonly lastFailure?: OrderFailure;
  /** Why the manager cannot order anything. */
  readonly unable?: string;
}

/** What a source tells of a name beside its look-up. */
export interface SourceInspection {
  /** It is skipped by look-ups, for its failures. */
  readonly skipped?: { readonly forMs: number; readonly reason: string };
  /** Requests that it may be sent now, of a bounded rate. */
  readonly budget?: { readonly left: number; readonly waiting: number; readonly perSecond: number };
  readonly orders?: OrderFacts;
  readonly remarks: readonly SourceRemark[];
}

/** One source, asked now. */
export interface SourceFacts extends SourceInspection {
  readonly name: string;
  /** `copy`: what it has of a name that was expired by hand counts only while the authority is silent. */
  readonly role?: 'authority' | 'copy';
  readonly said: 'found' | 'absent' | 'unavailable' | 'pending';
  readonly reason?: string;
  /** Of `unavailable`: whether the whole source is in trouble, or this name alone. */
  readonly scope?: 'source' | 'name';
  /** How long the answer took, milliseconds. */
  readonly tookMs: number;
  readonly candidates: readonly CandidateFacts[];
}

/** All that the primary knows of one name, its sources asked. */
export interface NameFacts {
  readonly name: string;
  readonly primary: PrimaryFacts;
  readonly sources: readonly SourceFacts[];
}
