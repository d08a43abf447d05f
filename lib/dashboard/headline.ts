/**
 * The first thing to see: how it is, in words, and whether what is shown is still true.
 */
import { byId, el, keyed, setAttributes, setSign, setText, sign } from './dom.js';
import type { FeedState } from './feed.js';
import type { Health, Trouble } from './health.js';

export interface Headline {
  health(health: Health): void;
  /** @param lastMs when the last frame has come; undefined: none has. */
  feed(state: FeedState, lastMs: number | undefined): void;
}

export function headline(): Headline {
  const shape = sign('busy');
  byId('health-sign').append(shape);
  const text = byId('health-text');
  const drawTroubles = keyed(
    byId('troubles'),
    ({ short }: Trouble) => short,
    () => {
      const level = sign('warn');
      const says = el('span', { class: 'says' });
      const detail = el('span', { class: 'detail' });
      return { root: el('li', {}, level, el('span', {}, says, ' ', detail)), level, says, detail };
    },
    ({ level, says, detail }, trouble) => {
      setSign(level, trouble.level);
      setText(says, trouble.says);
      setText(detail, trouble.detail ?? '');
    },
  );
  return {
    health: ({ level, headline: says, summary, troubles }) => {
      setAttributes(byId('health'), { 'data-level': level });
      setSign(shape, level);
      setText(text, says);
      setText(byId('health-summary'), summary);
      drawTroubles(troubles);
      document.title = `${level === 'good' ? '' : '! '}${says} · peter-sslers-proxy`;
    },
    feed: (state, lastMs) => {
      setAttributes(document.body, { 'data-feed': state });
      const words = { connecting: 'connecting', live: 'live', lost: 'connection lost', paused: 'paused' };
      setText(byId('live'), words[state]);
      const lost = byId('lost');
      // While it is tried again nothing has been won yet.
      if (state === 'connecting') return;
      lost.hidden = state !== 'lost';
      // In a row of tabs the title is all that is seen: it must not go on saying how things were. The next frame says how they are.
      if (state === 'paused') document.title = 'Paused · peter-sslers-proxy';
      if (state !== 'lost') return;
      document.title = '! Connection lost · peter-sslers-proxy';
      const at =
        lastMs === undefined ? '' : ` What is shown is of ${new Date(lastMs).toTimeString().slice(0, 8)}.`;
      setText(byId('lost-text'), `Connection lost.${at} Trying again.`);
      if (lastMs === undefined) {
        setText(text, 'Not connected');
        document.title = 'Not connected · peter-sslers-proxy';
      }
    },
  };
}
