/**
 * Causes that lie with one of several listeners: it does not answer, or serves something else than the others. PURE.
 */
import { mended, verbFor, type Cause, type Finding } from './cause.js';
import type { ClientFacts } from './report.js';
import { shortPrint, type View } from './view.js';

/** What a client meets at a listener. */
type Served = 'own' | 'default' | 'other' | 'nothing';

/** Some listeners give no handshake, and some do. */
export const LISTENER_FAILS: Cause = [
  'listener-fails',
  (view) => {
    const clients = modernClients(view);
    const failing = clients.filter((client) => servedBy(client, view) === 'nothing');
    const well = clients.filter((client) => !failing.includes(client));
    if (failing.length === 0 || well.length === 0) return undefined;
    const failures = failing.map(({ listener = '', failure = 'no handshake' }) =>
      failure.startsWith(listener) ? failure : `${listener}: ${failure}`,
    );
    return mended(
      `${who(view)} gets no handshake on ${failing.length} of ${clients.length} listeners (${failures.join('; ')}); ${placesText(well, view)}.`,
      `See what listens there now (ss -lntpx), and the log of the program; a restart opens ${verbFor(failing, 'it', 'them')} again.`,
    );
  },
];

/** All of them give a handshake, but not with the same certificate. */
export const LISTENER_DIFFERS: Cause = ['listener-differs', differs];

/** The same for a client without a name, which has few other causes. */
export const LISTENER_DIFFERS_UNNAMED: Cause = [
  'listener-differs',
  (view) => (view.facts.asked === '' ? differs(view) : undefined),
];

function differs(view: View): Finding | undefined {
  const clients = modernClients(view);
  if (new Set(clients.map((client) => servedBy(client, view))).size < 2) return undefined;
  return mended(
    `${who(view)} is not served the same on all listeners: ${placesText(clients, view)}.`,
    view.facts.asked === ''
      ? 'If such clients matter, give the address that they connect to a certificate, or its listener a default certificate of its own.'
      : 'If it stays so when it is asked again, see what listens there now (ss -lntpx), and the log of the program.',
  );
}

/** Of each listener that was asked. */
function modernClients(view: View): readonly ClientFacts[] {
  const first = view.client('modern');
  return first === undefined ? [] : [first, ...(view.facts.otherListeners ?? [])];
}

function servedBy({ leaf, isDefault, failure }: ClientFacts, view: View): Served {
  if (leaf === undefined) return view.isRefusal(failure) ? 'default' : 'nothing';
  if (isDefault === true && !view.isOwn(leaf.fingerprint)) return 'default';
  const isKnown = view.isOwn(leaf.fingerprint) || leaf.fingerprint === view.leaf?.fingerprint;
  return isKnown || view.facts.asked === '' ? 'own' : 'other';
}

/** `its own certificate on 127.0.0.1:443; the default certificate on 127.0.0.1:8443` */
function placesText(clients: readonly ClientFacts[], view: View): string {
  const places = new Map<string, string[]>();
  for (const client of clients) {
    const what = certificateText(client, view);
    places.set(what, [...(places.get(what) ?? []), client.listener ?? '']);
  }
  return Array.from(places, ([what, listeners]) => `${what} on ${listeners.join(', ')}`).join('; ');
}

function certificateText(client: ClientFacts, view: View): string {
  const { leaf } = client;
  switch (servedBy(client, view)) {
    case 'own':
      return view.facts.asked === ''
        ? `the certificate of the address (${leaf?.names.join(', ') ?? 'unknown'})`
        : 'its own certificate';
    case 'default':
      return leaf === undefined ? 'a refusal (--unknown-name reject)' : 'the default certificate';
    case 'other':
      return `one that nothing here knows of (${shortPrint(leaf?.fingerprint)} for ${leaf?.names.join(', ') ?? 'unknown'})`;
    case 'nothing':
      return 'no handshake';
  }
}

function who({ facts, name }: View): string {
  return facts.asked === '' ? 'A client that sends no server name' : `A client of ${name}`;
}
