import { expect } from 'chai';
import { statusText } from '../../../lib/cli/commands/status.js';
import { NOW_MS, status } from '../dashboard/frames.js';

const DAY_MS = 86_400_000;

describe('The text of a status', () => {
  it('says of a certificate that is outside its dates whether it has expired or is not valid yet', () => {
    const expired = { name: 'old.test', tier: 'redis' as const, notAfterMs: NOW_MS - DAY_MS };
    const early = {
      ...{ name: 'early.test', tier: 'redis' as const },
      ...{ notBeforeMs: NOW_MS + DAY_MS, notAfterMs: NOW_MS + 90 * DAY_MS },
    };
    const text = statusText(
      status({
        certificates: { expiring: [], expiringCount: 0, outdated: [expired, early], outdatedCount: 3 },
      }),
    );
    expect(text).to.match(
      /^served outdated +old\.test \(expired 2029-12-31 00:00 UTC\), early\.test \(not valid before 2030-01-02 00:00 UTC\), and 1 more$/m,
    );
  });
});
