/** A bus without processes: two endpoints, or an endpoint and a bare port, over a `MessageChannel`. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BusEndpoint, type BusPort, type EndpointOptions, type Handlers } from '../../../lib/bus/endpoint.js';

/** The operations of the tests, in one direction. */
export interface Calc {
  add: { params: { readonly a: number; readonly b: number }; result: { readonly sum: number } };
  wait: { params: { readonly label: string }; result: { readonly label: string } };
  fail: { params: Readonly<Record<string, never>>; result: Readonly<Record<string, never>> };
}

export function portOf(port: MessagePort): BusPort {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.on('close', listener),
  };
}

export interface Pair {
  readonly caller: BusEndpoint<Calc, Calc>;
  readonly server: BusEndpoint<Calc, Calc>;
  readonly ports: { readonly caller: MessagePort; readonly server: MessagePort };
}

const channels: MessageChannel[] = [];

/** Closes every channel that was opened: for `afterEach`. */
export function closeChannels(): void {
  for (const { port1, port2 } of channels.splice(0)) {
    port1.close();
    port2.close();
  }
}

export function openChannel(): MessageChannel {
  const channel = new MessageChannel();
  channels.push(channel);
  return channel;
}

/** Two ends; the tests call at one and serve at the other. */
export function pair(handlers: Handlers<Calc>, options: EndpointOptions = {}): Pair {
  const { port1, port2 } = openChannel();
  return {
    caller: new BusEndpoint<Calc, Calc>(portOf(port1), handlers, options),
    server: new BusEndpoint<Calc, Calc>(portOf(port2), handlers),
    ports: { caller: port1, server: port2 },
  };
}

/** What a call rejects with, as `{ code, message }`. */
export async function failureOf(call: Promise<unknown>): Promise<{ code: unknown; message: string }> {
  try {
    const value = await call;
    throw new TypeError(`it was answered: ${JSON.stringify(value)}`);
  } catch (thrown) {
    const { code, message } = thrown as Error & { code?: unknown };
    return { code, message };
  }
}
