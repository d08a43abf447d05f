import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { diagnose } from '../../../lib/diagnosis/diagnose.js';
import { BEHIND } from './cases-behind.js';
import { LISTENERS } from './cases-listeners.js';
import { MISSING } from './cases-missing.js';
import { SERVED } from './cases-served.js';
import { DEFAULT, factsOf } from './facts.js';

/** Every cause with facts that make it, and what its sentence has to say. */
const CASES = [...SERVED, ...LISTENERS, ...BEHIND, ...MISSING];

describe('the diagnosis', () => {
  for (const [code, what, scene, sentence, command] of CASES) {
    it(`${code}: ${what}`, () => {
      const diagnosis = diagnose(factsOf(scene));
      expect(diagnosis.code, diagnosis.sentence).to.equal(code);
      expect(diagnosis.sentence).to.match(sentence);
      expect(diagnosis.remedy?.command).to.equal(
        command === 'expire'
          ? 'peter-sslers-proxy expire domain www.a.test --workers'
          : command === 'reload'
            ? 'peter-sslers-proxy reload'
            : command,
      );
    });
  }

  it('has a case for each code there is', () => {
    const source = readFileSync(new URL('../../../lib/diagnosis/report.ts', import.meta.url), 'utf8');
    const union = /export type CauseCode =([\s\S]*?);/.exec(source)?.[1] ?? '';
    const codes = Array.from(union.matchAll(/'([\w-]+)'/g), ([, code = '']) => code);
    expect(codes).to.have.length.above(40);
    expect([...new Set(CASES.map(([code]) => code as string))].sort()).to.deep.equal([...codes].sort());
  });

  it('says one whole sentence of plain words each time, and names the name', () => {
    for (const [code, what, scene] of CASES) {
      const { sentence, remedy } = diagnose(factsOf(scene));
      expect(sentence, `${code}, ${what}`)
        .to.match(/^[A-Z"0-9w].*\.$/)
        .and.not.match(/undefined|NaN|\.\.|Infinity|\n/);
      if (!['no-server-name', 'listener'].includes(code) && scene.asked !== '') {
        expect(sentence, code).to.match(/a\.test|a b/);
      }
      expect(remedy?.says ?? '', code).not.to.match(/undefined|NaN/);
    }
  });

  it('says of a name that it is not served where a listener does not serve it', () => {
    for (const [code, what, scene] of LISTENERS)
      if (code.startsWith('listener')) expect(diagnose(factsOf(scene)).isServed, what).to.equal(false);
  });

  it('says of a name that it is served only where a client gets one that is valid now', () => {
    for (const [code, what, scene] of CASES) {
      const { isServed } = diagnose(factsOf(scene));
      const isDefault = scene.clients?.some(
        (client) => client.leaf === DEFAULT && client.client === 'modern',
      );
      if (isDefault === true || scene.clients?.[0]?.failure !== undefined) {
        expect(isServed, `${code}, ${what}`).to.equal(false);
      }
    }
  });
});
