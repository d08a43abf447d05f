/**
 * The stream of frames: opened while the page is seen, opened again whenever it is lost.
 *
 * The browser itself comes back after a broken connection, but not after an answer that is no stream (a proxy's 502, say), and it does
 * not notice one that has gone silent. A door that has no streams, as those that clients use have none, answers 204 and is asked for a
 * snapshot once a second.
 */
import { askSnapshot } from './ask.js';
import type { Frame } from './frame.js';

export type FeedState = 'connecting' | 'live' | 'lost' | 'paused';

export interface FeedEvents {
  frame(frame: Frame): void;
  state(state: FeedState): void;
}

/** The server sends one a second. */
const SILENCE_MS = 5_000;
const POLL_MS = 1_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 8_000;

export class Feed {
  readonly #events: FeedEvents;
  #source: EventSource | undefined;
  #silence: number | undefined;
  #retry: number | undefined;
  /** Of what was opened: answers to what was given up since are late. */
  #turn = 0;
  #delayMs = FIRST_DELAY_MS;

  constructor(events: FeedEvents) {
    this.#events = events;
  }

  start(): void {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) {
        this.#close();
        this.#events.state('paused');
      } else {
        this.#delayMs = FIRST_DELAY_MS;
        this.#open();
      }
    });
    if (!document.hidden) this.#open();
  }

  #open(): void {
    this.#close();
    this.#events.state('connecting');
    const source = new EventSource('events');
    this.#source = source;
    source.onmessage = ({ data }: MessageEvent<string>) => this.#take(data);
    source.onerror = () => {
      // Not broken off, but no stream.
      if (source.readyState === EventSource.CLOSED) void this.#poll(this.#turn);
      else this.#lost();
    };
    this.#watch();
  }

  #take(data: string): void {
    let frame: Frame;
    try {
      frame = JSON.parse(data) as Frame;
    } catch {
      // Cut off: the next one is a second away.
      return;
    }
    this.#show(frame);
  }

  #show(frame: Frame): void {
    this.#watch();
    this.#delayMs = FIRST_DELAY_MS;
    this.#events.state('live');
    this.#events.frame(frame);
  }

  async #poll(turn: number): Promise<void> {
    this.#source?.close();
    try {
      const frame = await askSnapshot();
      if (turn !== this.#turn) return;
      this.#show(frame);
      this.#retry = window.setTimeout(() => void this.#poll(turn), POLL_MS);
    } catch {
      if (turn === this.#turn) this.#lost();
    }
  }

  #watch(): void {
    window.clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #lost(): void {
    this.#close();
    this.#events.state('lost');
    this.#retry = window.setTimeout(() => this.#open(), this.#delayMs);
    this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
  }

  #close(): void {
    this.#turn += 1;
    this.#source?.close();
    this.#source = undefined;
    window.clearTimeout(this.#silence);
    window.clearTimeout(this.#retry);
  }
}
