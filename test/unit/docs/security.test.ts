/**
 * docs/security.md has the packages of the program as package-lock.json has them.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly dev?: boolean;
        readonly devOptional?: boolean;
        readonly hasInstallScript?: boolean;
        readonly integrity?: string;
      }
    >
  >;
}

describe('docs/security.md', () => {
  const page = textOf('docs/security.md');
  const { packages } = JSON.parse(textOf('package-lock.json')) as Lock;
  const atRunTime = Object.entries(packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
  );

  it('has the number of packages', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).to.have.length(10);
    expect(page).to.contain('Ten libraries at run time').and.to.contain(`and ${atRunTime.length} packages`);
  });

  it('is right in that none of them runs a script, and each has its hash', () => {
    for (const [path, { hasInstallScript, integrity }] of atRunTime) {
      expect(hasInstallScript, path).to.equal(undefined);
      expect(integrity, path).to.match(/^sha512-/);
    }
  });
});
