/**
 * What each source held when, in the scenario "truth", and what was out of order. Times are milliseconds since 1970.
 *
 * A change takes from its beginning to its end: in between both what was before and what comes after may be seen.
 */
import { SOURCES, type SourceName } from './truth-plan.js';

export interface KnownCertificate {
  /** The leaf's SHA-256, as `fingerprintOf` has it. */
  readonly leaf: string;
  readonly isValid: boolean;
  readonly isForServers: boolean;
  /** False for one that has signed itself. */
  readonly hasIssuer: boolean;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
}

/** What a source has for a name. */
export type Content =
  | { readonly kind: 'nothing' }
  /** Something that must not be served. */
  | { readonly kind: 'unusable' }
  /** It cannot be asked. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'certificate'; readonly certificate: KnownCertificate };

export interface Span {
  readonly fromMs: number;
  toMs: number;
}

interface Stay extends Span {
  readonly content: Content;
  readonly kind: string;
}

/** A change of what a source has for a name. */
export interface Arrival {
  readonly name: string;
  readonly source: SourceName;
  /** What was done: `renew`, `remove` and so on. */
  readonly kind: string;
  readonly fromMs: number;
  /** From when on there is nothing else. */
  readonly sureMs: number;
}

const NOTHING: Content = { kind: 'nothing' };

export class History {
  /** The primary stood still. */
  readonly stops: Span[] = [];
  /** A source answered nothing, or nonsense. */
  readonly outages: Readonly<Record<SourceName, Span[]>> = { directory: [], redis: [], manager: [] };
  /** A worker was killed. */
  readonly kills: Span[] = [];
  readonly #expires = new Map<string, Span[]>();
  readonly #stays = new Map<string, Stay[]>();

  /** Something begins; it lasts until the function that is returned is called. */
  begin(list: Span[]): () => void {
    const span: Span = { fromMs: Date.now(), toMs: Infinity };
    list.push(span);
    return () => (span.toMs = Date.now());
  }

  /** Expires of a name by hand; one that was not confirmed never ends. */
  expires(name: string): Span[] {
    const spans = this.#expires.get(name) ?? [];
    this.#expires.set(name, spans);
    return spans;
  }

  /** Makes a change, and notes it. @param kind what it is, for the report */
  async change(
    name: string,
    source: SourceName,
    kind: string,
    content: Content,
    make: () => void | Promise<void>,
  ): Promise<void> {
    const stays = this.#staysOf(name, source);
    const before = stays.at(-1);
    stays.push({ kind, content, fromMs: Date.now(), toMs: Infinity });
    await make();
    if (before !== undefined) before.toMs = Date.now();
  }

  /** All names that a source has held something for. */
  names(): Set<string> {
    return new Set([...this.#stays.keys()].map((place) => place.split(' ')[0] ?? ''));
  }

  /** What a source holds at the end. */
  current(name: string, source: SourceName): Content {
    return this.#staysOf(name, source).at(-1)?.content ?? NOTHING;
  }

  /** All that a source may have held for a name within a time. */
  contents(name: string, source: SourceName, fromMs: number, toMs: number): Content[] {
    return this.#staysOf(name, source)
      .filter((stay) => overlaps(stay, fromMs, toMs))
      .map(({ content }) => content);
  }

  /** Whether what a source has for a name may have changed within a time. */
  hasChanged(name: string, source: SourceName, fromMs: number, toMs: number): boolean {
    const changes = this.#staysOf(name, source).slice(1);
    return changes.some((stay) => stay.fromMs >= fromMs && stay.fromMs <= toMs);
  }

  /** The stays of a name at a source, for a message. @param relative puts a time into perspective. */
  describe(name: string, source: SourceName, relative: (ms: number) => number): string[] {
    return this.#staysOf(name, source)
      .filter(({ fromMs, content }) => fromMs !== -Infinity || content.kind !== 'nothing')
      .map(({ content, fromMs, toMs }) => {
        const what = content.kind === 'certificate' ? describeCertificate(content.certificate) : content.kind;
        return `${source} ${relative(fromMs)}..${relative(toMs)}: ${what}`;
      });
  }

  /** When the sources, or the primary, were out of order. */
  get standstills(): Span[] {
    return [...this.stops, ...SOURCES.flatMap((source) => this.outages[source])];
  }

  /** All changes. */
  *arrivals(): IterableIterator<Arrival> {
    for (const [place, stays] of this.#stays) {
      const [name = '', source] = place.split(' ');
      for (const [index, { kind, fromMs }] of stays.entries()) {
        const before = stays[index - 1];
        if (before === undefined) continue;
        yield { name, source: source as SourceName, kind, fromMs, sureMs: before.toMs + 1 };
      }
    }
  }

  #staysOf(name: string, source: SourceName): Stay[] {
    const place = `${name} ${source}`;
    const stays = this.#stays.get(place) ?? [
      { kind: '', content: NOTHING, fromMs: -Infinity, toMs: Infinity },
    ];
    this.#stays.set(place, stays);
    return stays;
  }
}

function describeCertificate({ leaf, isValid, isForServers, hasIssuer }: KnownCertificate): string {
  return `${leaf.slice(0, 11)} ${isValid ? '' : 'outdated '}${isForServers ? '' : 'client '}${hasIssuer ? '' : 'self-signed'}`;
}

export function overlaps(span: Span, fromMs: number, toMs: number): boolean {
  return span.fromMs <= toMs && span.toMs >= fromMs;
}

/** Goes back by a time that does not count what falls into the spans. */
export function lookBack(fromMs: number, byMs: number, spans: readonly Span[]): number {
  let startMs = fromMs - byMs;
  for (;;) {
    const lost = spans
      .map((span) => Math.min(span.toMs, fromMs) - Math.max(span.fromMs, startMs))
      .filter((ms) => ms > 0)
      .reduce((sum, ms) => sum + ms, 0);
    const earlierMs = fromMs - byMs - lost;
    if (earlierMs >= startMs) return startMs;
    startMs = earlierMs;
  }
}
