/**
 * The search: a name's way, where it stops, why, and what mends it.
 */
import { nameText } from '../diagnosis/name-text.js';
import type { WhyReport } from '../diagnosis/report.js';
import { askWhy } from './ask.js';
import { byId, el, setSign, setText, sign } from './dom.js';
import { wayView } from './way-view.js';
import { whyWay } from './why-way.js';

export interface WhyPanel {
  /** Asks about a name, as if it had been typed. */
  open(name: string): void;
  close(): void;
}

/** @param expireName offers to expire a name. */
export function whyPanel(expireName: (name: string) => void): WhyPanel {
  const panel = byId('why');
  const form = byId('search-form') as HTMLFormElement;
  const input = byId('search') as HTMLInputElement;
  const title = byId('why-title');
  const sentence = byId('why-sentence');
  const remedy = byId('why-remedy');
  const says = el('p');
  const command = el('code');
  const copy = el('button', { type: 'button' }, 'Copy');
  const commandLine = el('p', { class: 'command' }, command, copy);
  remedy.append(says, commandLine);
  const list = byId('why-way');
  const draw = wayView(list);
  const expireButton = byId('why-expire');
  const shape = sign('busy');
  byId('why-sign').append(shape);
  let asked = 0;
  let name: string | undefined;

  const show = (level: string, head: string, text: string): void => {
    panel.hidden = false;
    setSign(shape, level);
    setText(title, head);
    setText(sentence, text);
    remedy.hidden = true;
    list.hidden = true;
    expireButton.hidden = true;
  };
  const answer = (report: WhyReport): void => {
    const { diagnosis } = report;
    const of = report.asked === '' ? 'a client without a server name' : nameText(report);
    show(diagnosis.isServed ? 'good' : 'bad', of, diagnosis.sentence);
    name = report.name;
    draw(whyWay(report));
    list.hidden = false;
    expireButton.hidden = name === undefined;
    remedy.hidden = diagnosis.remedy === undefined;
    setText(says, diagnosis.remedy?.says ?? '');
    commandLine.hidden = diagnosis.remedy?.command === undefined;
    setText(command, diagnosis.remedy?.command ?? '');
  };
  const ask = async (text: string): Promise<void> => {
    const turn = ++asked;
    show(
      'busy',
      text === '' ? 'a client without a server name' : text,
      'Asking the workers, the caches and every source…',
    );
    panel.setAttribute('aria-busy', 'true');
    try {
      const report = await askWhy(text);
      // Another name was asked about meanwhile, or the panel was closed.
      if (turn === asked) answer(report);
    } catch (error) {
      if (turn === asked) show('warn', text, error instanceof Error ? error.message : String(error));
    }
    if (turn === asked) panel.removeAttribute('aria-busy');
  };
  const close = (): void => {
    asked += 1;
    panel.hidden = true;
    panel.removeAttribute('aria-busy');
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void ask(input.value.trim());
  });
  byId('why-close').addEventListener('click', () => {
    close();
    input.focus();
  });
  expireButton.addEventListener('click', () => {
    if (name !== undefined) expireName(name);
  });
  copy.addEventListener('click', () => {
    // Not on plain HTTP to another machine: then it is marked, to be copied by hand.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (clipboard === undefined) window.getSelection()?.selectAllChildren(command);
    else void clipboard.writeText(command.textContent).then(() => setText(copy, 'Copied'));
    window.setTimeout(() => setText(copy, 'Copy'), 2_000);
  });
  return {
    open: (wanted) => {
      input.value = wanted;
      void ask(wanted);
      panel.scrollIntoView({ block: 'nearest' });
    },
    close,
  };
}
