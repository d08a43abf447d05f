/**
 * Channels of `node:diagnostics_channel` for whoever wants to follow what happens, in the process where it happens:
 *
 *     import { channels } from 'peter-sslers-proxy/channels';
 *     channels.handshake.subscribe((handshake) => console.log(handshake));
 *
 * Handshakes and requests are the workers', everything else is the primary's. A module that `NODE_OPTIONS='--import ./trace.mjs'` names is
 * loaded by both. Without a subscriber a channel costs nothing: no message is made. A listener is called at once, in the middle of the
 * work: one that takes long holds it up. What it throws is an uncaught exception.
 */
import { channel } from 'node:diagnostics_channel';
import type {
  HandshakeDone,
  HandshakeFailed,
  LookUpMessage,
  OrderMessage,
  RequestMessage,
  SourceStateMessage,
} from './messages.js';

export type * from './messages.js';

/** A `Channel` of `node:diagnostics_channel`, with the type of its messages. */
export interface MessageChannel<Message> {
  readonly name: string;
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
  subscribe(listener: (message: Message, channelName: string) => void): void;
  unsubscribe(listener: (message: Message, channelName: string) => void): void;
}

function named<Message>(name: string): MessageChannel<Message> {
  // Node's types leave the message open.
  return channel(`peter-sslers-proxy:${name}`) as MessageChannel<Message>;
}

/** All of them; the text behind the colon of a name is the key here, with dashes. */
export const channels = {
  /** In a worker: a handshake is done, or has failed. */
  handshake: named<HandshakeDone | HandshakeFailed>('handshake'),
  /** In a worker: a request has ended. */
  request: named<RequestMessage>('request'),
  /** In the primary: a look-up has ended. */
  lookUp: named<LookUpMessage>('look-up'),
  /** In the primary: a source has failed, is skipped, or answers again. */
  sourceState: named<SourceStateMessage>('source-state'),
  /** In the primary: an order has ended. */
  order: named<OrderMessage>('order'),
} as const;

/** A moment of `performance.now` as milliseconds since 1970. */
export function sinceEpoch(atMs: number): number {
  return performance.timeOrigin + atMs;
}
