/**
 * A password from a terminal, which does not show what is typed.
 */
import type { ReadStream } from 'node:tty';

/**
 * Asks on a terminal.
 *
 * @param write shows the question.
 * @returns what was typed; undefined after Ctrl-C, or Ctrl-D at the beginning.
 */
export function readSecret(
  terminal: ReadStream,
  write: (text: string) => void,
  question: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let typed = '';
    const end = (value: string | undefined): void => {
      terminal.off('data', take);
      terminal.setRawMode(false);
      terminal.pause();
      write('\n');
      resolve(value);
    };
    const take = (chunk: string): void => {
      const chars = Array.from(chunk);
      for (const [index, char] of chars.entries()) {
        if (char === '\r' || char === '\n') {
          // What was typed ahead is for the next question.
          const rest = chars.slice(index + 1).join('');
          end(typed);
          if (rest !== '') terminal.unshift(rest);
          return;
        }
        if (char === '\u0003' || (char === '\u0004' && typed === '')) {
          end(undefined);
          return;
        }
        if (char === '\u007f' || char === '\b') typed = Array.from(typed).slice(0, -1).join('');
        else if (char >= ' ') typed += char;
      }
    };
    // Before the question, or what is typed at once would be shown.
    terminal.setRawMode(true);
    terminal.setEncoding('utf8');
    terminal.on('data', take);
    terminal.resume();
    write(question);
  });
}
