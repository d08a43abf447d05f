/**
 * The three generations of the manager: what each answers.
 *
 * 1.0 was recorded (`test/fixtures/manager/http`). The answers of the older two were put together from their source
 * (`test/fixtures/manager/older`, whose README says how). They differ in the prefix, in the key that the domain is under, in
 * the keys of the certificates and in what else they say, and never mix.
 */
import { readdirSync, readFileSync } from 'node:fs';

const FIXTURES = new URL('../fixtures/manager/', import.meta.url);

export type ManagerVersion = '0.4.0' | '0.5.0' | '1.0';

/** A request to the manager, and its answer. */
export interface Recording {
  readonly file: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: string | null;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
  };
}

/** A recording of 1.0. */
export interface NumberedRecording extends Recording {
  /** The number that its file name begins with. */
  readonly number: number;
}

/** The recordings of queries and autocert (`001-…` to `139-…`), in order. */
export function managerRecordings(): NumberedRecording[] {
  return read('http/', /^\d{3}-.*\.json$/).map((recording) => ({
    ...recording,
    number: Number(recording.file.slice(0, 3)),
  }));
}

/** The answers of an older manager, as its source makes them: `query-….json` and `order-….json`. */
export function olderAnswers(version: '0.4.0' | '0.5.0'): Recording[] {
  return read(`older/${version}/`, /\.json$/);
}

function read(folder: string, pattern: RegExp): Recording[] {
  const url = new URL(folder, FIXTURES);
  return readdirSync(url)
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => ({
      file,
      ...(JSON.parse(readFileSync(new URL(file, url), 'utf8')) as Pick<Recording, 'request' | 'response'>),
    }));
}

/** What of an answer differs from one generation to the next. */
export interface ManagerShape {
  /** Of every path. */
  readonly prefix: string;
  readonly domainKey: 'Domain' | 'domain';
  readonly keyOf: Readonly<Record<'single' | 'multi', string>>;
  /** What `domain` has beside its id and name. */
  readonly domainExtras: Readonly<Record<string, unknown>>;
  /** Whether the answer to an order has `notes`. */
  readonly hasNotes: boolean;
}

function keysOf(certificate: string): Record<'single' | 'multi', string> {
  return { single: `${certificate}__latest_single`, multi: `${certificate}__latest_multi` };
}

export const MANAGER_SHAPES: Readonly<Record<ManagerVersion, ManagerShape>> = {
  '0.4.0': {
    prefix: '/.well-known/admin',
    domainKey: 'domain',
    keyOf: keysOf('server_certificate'),
    domainExtras: { is_active: true },
    hasNotes: false,
  },
  '0.5.0': {
    prefix: '/.well-known/admin',
    domainKey: 'domain',
    keyOf: keysOf('certificate_signed'),
    domainExtras: { is_active: true },
    hasNotes: true,
  },
  '1.0': {
    prefix: '/.well-known/peter_sslers',
    domainKey: 'Domain',
    keyOf: keysOf('x509_certificate'),
    domainExtras: {},
    hasNotes: true,
  },
};

/** A certificate as tests have it. */
export interface FakePair {
  /** The leaf, then the intermediates. */
  readonly chainPem: string;
  readonly keyPem: string;
}

/** The manager's JSON for one certificate. */
export function certificateJson({ chainPem, keyPem }: FakePair): unknown {
  const end = chainPem.indexOf('-----END CERTIFICATE-----') + '-----END CERTIFICATE-----\n'.length;
  return {
    id: '1',
    private_key: { id: '1', pem: keyPem },
    certificate: { id: '1', pem: chainPem.slice(0, end) },
    chain: { id: '1', pem: chainPem.slice(end) },
    fullchain: { id: '1,1', pem: chainPem },
  };
}

/** The order that fails: the same in all three. */
export function refusal(error = '`pending` AcmeOrder failed an AcmeAuthorization'): unknown {
  return { result: 'error', AcmeOrder: { id: 1 }, error };
}

/** An answer of 1.0 whose words are in `form_errors`. */
export function formError(message: string, field = 'Error_Main'): unknown {
  const { domainKey, keyOf } = MANAGER_SHAPES['1.0'];
  return {
    result: 'error',
    form_errors: { [field]: message },
    [domainKey]: null,
    [keyOf.single]: null,
    [keyOf.multi]: null,
  };
}
