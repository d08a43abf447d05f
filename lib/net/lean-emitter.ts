/**
 * An event emitter that costs little to make: the fields of `EventEmitter`, laid out as Node's streams do, without its constructor, which
 * would cost 1 % more a connection.
 */
import { EventEmitter } from 'node:events';

export class LeanEmitter {
  readonly _events: Record<string, unknown>;
  _eventsCount = 0;
  _maxListeners: number | undefined = undefined;
  // These come with the prototype that is set below the class.
  declare on: EventEmitter['on'];
  declare once: EventEmitter['once'];
  declare off: EventEmitter['off'];
  declare emit: EventEmitter['emit'];

  /** @param events a new object with the names of those that are listened for, each undefined. */
  constructor(events: Record<string, unknown>) {
    this._events = events;
  }
}

Object.setPrototypeOf(LeanEmitter.prototype, EventEmitter.prototype);
