import { expect } from 'chai';
import { examine } from '../../../../lib/domain/examination.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import {
  interpretOrder,
  interpretQuery,
  type ManagerAnswer,
  type OrderVerdict,
} from '../../../../lib/sources/manager/schema.js';
import { managerRecordings, type Recording } from '../../../support/manager-generations.js';
import { summarise } from './query-summary.js';

const NAME = 'fresh.example.com' as ServerName;

/** Recording numbers and what each is to be understood as. `found N`: N candidates. */
const QUERIES: Record<string, string> = {
  '004-005 048 068-071 074-075 078-079 086-087 096-103 114 120-121 129': 'absent, order: yes',
  '010 050-061 064-067 072-073 082-085 088-095 105-107 116-117 122-123 127-128 131-132': 'found 1, order: no',
  '062-063 113 118-119': 'found 2, order: no',
  '076-077 080-081 104': 'unavailable (name), order: no',
  '108-110 112': 'unavailable (source), order: no',
  '115 130': 'unavailable (name), order: unless-known',
};
const ORDERS: Record<string, string> = {
  '006 008 011-020 022 041 049 124-125 133': 'issued 1',
  '001': 'unable',
  '002-003 021 023-026 034-040 042-045 126 134-135 139': 'refused',
  '007 009 138': 'active',
  '027-033 046-047 111 136-137': 'failed',
};

function expectations(table: Record<string, string>): Map<number, string> {
  const byNumber = new Map<number, string>();
  for (const [numbers, expected] of Object.entries(table)) {
    for (const range of numbers.split(' ')) {
      const [first = 0, last = first] = range.split('-').map(Number);
      for (let number = first; number <= last; number += 1) byNumber.set(number, expected);
    }
  }
  return byNumber;
}

function answerOf({ response }: Recording): ManagerAnswer {
  return {
    status: response.status,
    contentType: response.headers['Content-Type'] ?? '',
    body: response.body,
  };
}

function summariseOrder(verdict: OrderVerdict): string {
  return verdict.kind === 'issued' ? `issued ${verdict.candidates.length}` : verdict.kind;
}

describe('manager-schema with the recordings', () => {
  const queries = expectations(QUERIES);
  const orders = expectations(ORDERS);
  for (const recording of managerRecordings()) {
    const { file, number, request } = recording;
    const path = new URL(request.path, 'http://manager').pathname;
    const expectedQuery = queries.get(number);
    if (expectedQuery !== undefined) {
      it(`query ${file} is ${expectedQuery}`, () => {
        const asked = /\/domain\/([^/]*)/.exec(decodeURIComponent(path))?.[1] ?? '';
        const name = asked.toLowerCase() as ServerName;
        const verdict = interpretQuery(answerOf(recording), name, path, CERT_PREFERENCES);
        expect(summarise(verdict)).to.equal(expectedQuery);
        if (verdict.lookup.kind !== 'found') return;
        for (const pairs of verdict.lookup.candidates) {
          expect(examine(pairs, name, Date.UTC(2027, 0, 1)).kind).to.not.equal('unusable');
        }
      });
    } else {
      it(`order ${file} is ${orders.get(number) ?? 'not in the table'}`, () => {
        const posted = new URLSearchParams(request.body ?? '').get('domain_name') ?? NAME;
        const name = posted.trim().toLowerCase() as ServerName;
        const verdict = interpretOrder(answerOf(recording), name, CERT_PREFERENCES);
        expect(summariseOrder(verdict)).to.equal(orders.get(number));
      });
    }
  }

  const words: [number, string][] = [
    [2, '`pending` AcmeOrder failed an AcmeAuthorization'],
    [45, 'This domain_name has been blocklisted; There was an error with your form.'],
    [1, 'There was an error with your form. The `autocert` SystemConfiguration has not been configured'],
  ];
  for (const [number, message] of words) {
    it(`an order's refusal is reported in the manager's own words (${message.slice(0, 30)}…)`, () => {
      const recording = managerRecordings().find((each) => each.number === number);
      expect(interpretOrder(answerOf(recording!), NAME, CERT_PREFERENCES)).to.deep.equal({
        kind: orders.get(number),
        message,
      });
    });
  }

  it('the older prefix is said to be a wrong prefix', () => {
    const recording = managerRecordings().find((each) => each.number === 110);
    expect(
      JSON.stringify(
        interpretQuery(
          answerOf(recording!),
          NAME,
          `/.well-known/admin/domain/${NAME}/config.json`,
          CERT_PREFERENCES,
        ),
      ),
    ).to.include('prefix in --fallback-server is probably wrong');
  });
});
