/**
 * Whether who checks may read more than the program: root reads everything, so a file that the program's own user may not read would
 * be found in order, and the start fail.
 */
import { stat } from 'node:fs/promises';
import type { Settings } from '../config/settings.js';
import { finding, type Finding } from './finding.js';

/** Who the program runs as is known by its state directory, once it has run. */
export async function checkUser({ stateDir }: Settings): Promise<Finding[]> {
  if (process.geteuid?.() !== 0) return [];
  const owner = await stat(stateDir).catch(() => undefined);
  if (owner === undefined || owner.uid === 0) return [];
  // Ports below 1024 can be tried with this capability alone.
  const asOwner =
    `setpriv --reuid ${owner.uid} --regid ${owner.gid} --init-groups ` +
    '--inh-caps +net_bind_service --ambient-caps +net_bind_service';
  return [
    finding(
      'warning',
      'user',
      stateDir,
      `it is user ${owner.uid}'s, whom the program seems to run as, and root has checked, who may read more`,
      `check as that user: ${asOwner} peter-sslers-proxy check …`,
    ),
  ];
}
