/**
 * The answers of managers 0.4.0 and 0.5.0, as their source makes them.
 */
import { expect } from 'chai';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import { examine } from '../../../../lib/domain/examination.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import {
  interpretOrder,
  interpretQuery,
  type ManagerAnswer,
  type OrderVerdict,
} from '../../../../lib/sources/manager/schema.js';
import { MANAGER_SHAPES, olderAnswers, type Recording } from '../../../support/manager-generations.js';
import { summarise } from './query-summary.js';

const QUERIES: Readonly<Record<string, string>> = {
  'query-single': 'found 1, order: no',
  'query-multi': 'found 1, order: no',
  'query-both': 'found 2, order: no',
  'query-upper-case': 'found 1, order: no',
  'query-without-certificate': 'absent, order: yes',
  'query-disabled': 'absent, order: yes',
  'query-unknown': 'absent, order: yes',
  'query-without-certificate-style-2': 'unavailable (name), order: unless-known',
  'query-digits': 'unavailable (name), order: no',
  'query-wrong-prefix': 'unavailable (source), order: no',
};
const FORM = 'There was an error with your form.';
const ORDERS: Readonly<Record<string, string>> = {
  'order-existing': 'issued 2',
  'order-issued': 'issued 1',
  'order-failed': 'refused: `pending` AcmeOrder failed an AcmeAuthorization',
  'order-failed-without-words': 'refused: no reason given',
  'order-active': `active: There is an active or recent autocert attempt for this domain; ${FORM}`,
  'order-disabled': `refused: This domain_name has been disabled; ${FORM}`,
  'order-blocklisted': `refused: This domain_name has been blocklisted; ${FORM}`,
  'order-no-account': `unable: You must configure a global AcmeAccount.; ${FORM}`,
  'order-bad-name': 'failed: it answered 500 (an internal error, or a known name without a certificate)',
};
const INVALID = { '0.4.0': 'refused: no reason given', '0.5.0': 'refused: new AcmeOrder, invalid' } as const;

function answerOf({ response }: Recording): ManagerAnswer {
  const contentType = response.headers['Content-Type'] ?? '';
  return { status: response.status, contentType, body: response.body };
}

function summariseOrder(verdict: OrderVerdict): string {
  switch (verdict.kind) {
    case 'issued':
      return `issued ${verdict.candidates.length}`;
    case 'failed':
      return `failed: ${verdict.reason}`;
    default:
      return `${verdict.kind}: ${verdict.message}`;
  }
}

for (const version of ['0.4.0', '0.5.0'] as const) {
  describe(`manager-schema with the answers of ${version}`, () => {
    const answers = olderAnswers(version);
    const isUsable = (candidates: readonly Parameters<typeof examine>[0][], name: string): void => {
      for (const pairs of candidates) {
        // The certificates are valid for ten years from the end of 2026.
        expect(examine(pairs, name as ServerName, Date.UTC(2027, 0, 1)).kind).to.equal('usable');
      }
    };
    for (const answer of answers) {
      const key = answer.file.replace('.json', '');
      const path = new URL(answer.request.path, 'http://manager').pathname;
      if (key.startsWith('query-')) {
        it(`${key} is ${QUERIES[key] ?? 'not in the table'}`, () => {
          const name = (/\/domain\/([^/]*)/.exec(path)?.[1] ?? '').toLowerCase();
          const verdict = interpretQuery(answerOf(answer), name as ServerName, path, CERT_PREFERENCES);
          expect(summarise(verdict)).to.equal(QUERIES[key]);
          if (verdict.lookup.kind === 'found') isUsable(verdict.lookup.candidates, name);
        });
      } else {
        const expected = key === 'order-invalid' ? INVALID[version] : ORDERS[key];
        it(`${key} is ${expected ?? 'not in the table'}`, () => {
          const name = new URLSearchParams(answer.request.body ?? '').get('domain_name') ?? '';
          const verdict = interpretOrder(answerOf(answer), name as ServerName, CERT_PREFERENCES);
          expect(summariseOrder(verdict)).to.equal(expected);
          if (verdict.kind === 'issued') isUsable(verdict.candidates, name);
        });
      }
    }

    it('comes to a certificate by the keys of its own generation alone', () => {
      const { keyOf } = MANAGER_SHAPES[version];
      const both = answers.find(({ file }) => file === 'query-both.json');
      const preferences = CERT_PREFERENCES.filter((key) => !Object.values(keyOf).includes(key));
      expect(preferences).to.have.length(4);
      const name = 'both.example.com' as ServerName;
      const verdict = interpretQuery(answerOf(both!), name, both!.request.path, preferences);
      expect(summarise(verdict)).to.equal('unavailable (source), order: no');
      expect(JSON.stringify(verdict)).to.include(`keys seen: ${keyOf.single}, ${keyOf.multi}`);
    });
  });
}
