/**
 * The version of the package: the one in its `package.json`.
 */
import { createRequire } from 'node:module';

// The package's root is two folders up from `lib/base` and from `dist/chunks`, where the build puts this file.
const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The admin routes report it to the manager, which requires that Major.Minor equal its own. */
export const VERSION: string = version;
