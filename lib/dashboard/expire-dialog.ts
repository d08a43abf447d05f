/**
 * The dialog before something is expired: it names what happens, and then what has happened.
 */
import { expire } from './ask.js';
import { byId, setText } from './dom.js';

const SAYS = {
  name: (name: string): string =>
    `What the shared cache has of ${name} is dropped. It is looked up afresh when the next client asks for it; until the manager has a certificate again, Redis is not believed.`,
  all: 'Everything in the shared cache is marked as stale: each name is looked up afresh when the next client asks for it, and its certificate serves on until then. The sources are asked more than usual for a while.',
  without: 'The workers keep what they have, for up to --lru-cache-duration.',
  with: 'The workers drop what they have at once: their next handshakes ask the primary.',
};

/** @returns opens the dialog; without a name for everything. */
export function expireDialog(): (name?: string) => void {
  const dialog = byId('expire') as HTMLDialogElement;
  const title = byId('expire-title');
  const what = byId('expire-what');
  const workersSay = byId('expire-workers-say');
  const workers = byId('expire-workers') as HTMLInputElement;
  const result = byId('expire-result');
  const confirm = byId('expire-confirm') as HTMLButtonElement;
  const cancel = byId('expire-cancel');
  let name: string | undefined;

  const sayWorkers = (): void => setText(workersSay, workers.checked ? SAYS.with : SAYS.without);
  const run = async (): Promise<void> => {
    confirm.disabled = true;
    setText(result, 'Expiring…');
    try {
      const { workers: told, acknowledged = 0 } = await expire(name, workers.checked);
      const inWorkers = told === undefined ? '' : ` ${acknowledged} of ${told} workers have acknowledged.`;
      setText(result, `${name ?? 'Everything'} is expired.${inWorkers}`);
      confirm.hidden = true;
      setText(cancel, 'Close');
      cancel.focus();
    } catch (error) {
      setText(result, `Not done. ${error instanceof Error ? error.message : String(error)}`);
      confirm.disabled = false;
    }
  };

  workers.addEventListener('change', sayWorkers);
  confirm.addEventListener('click', () => void run());
  cancel.addEventListener('click', () => dialog.close());
  return (wanted) => {
    name = wanted;
    setText(title, wanted === undefined ? 'Expire everything?' : `Expire ${wanted}?`);
    setText(what, wanted === undefined ? SAYS.all : SAYS.name(wanted));
    workers.checked = wanted !== undefined;
    sayWorkers();
    setText(result, '');
    setText(confirm, wanted === undefined ? 'Expire everything' : 'Expire it');
    setText(cancel, 'Cancel');
    confirm.hidden = false;
    confirm.disabled = false;
    dialog.showModal();
    cancel.focus();
  };
}
