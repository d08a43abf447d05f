import type { AbuseCounts } from './abuse-budget.js';
import type { ClientConnection } from './client-connection.js';

/** Is told of an HTTP/2 client that was cut off, for its errors or for what it made us do. */
export type OnCutOff = (connection: ClientConnection, reason: string, counts: AbuseCounts) => void;
