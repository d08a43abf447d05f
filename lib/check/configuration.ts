/**
 * What loading the settings has to say: the mistake that refuses them, or what is odd about them. The default certificate is among
 * it, which is read, and tried in OpenSSL, when the settings are loaded.
 */
import type { Settings } from '../config/settings.js';
import { finding, type Finding } from './finding.js';

const AREA = 'configuration';
const DEFAULT = 'default certificate';
/** Clients refuse it. */
const OUTDATED = /: (?:it expired on|it is not valid before)/;

/** @param sentence the first thing that is wrong. Nothing else can be looked at then. */
export function refusedSettings(sentence: string): Finding[] {
  const isDefault = /default-(?:cert|key)\b/.test(sentence);
  const isPassed = sentence.includes('must name a socket that systemd has passed');
  const remedy = isPassed
    ? 'sockets are passed at a start alone: check the rest with --listen 127.0.0.1:0, and no --http-listen'
    : 'correct it, and check again: nothing else could be looked at';
  return [finding('error', isDefault ? DEFAULT : AREA, '', sentence, remedy)];
}

export function loadedSettings(settings: Settings, warnings: readonly string[]): Finding[] {
  const isAboutDefault = (warning: string): boolean => /default-cert\b/.test(warning);
  const odd = warnings.filter((warning) => !isAboutDefault(warning));
  const ofDefault = warnings.filter(isAboutDefault);
  const isGiven =
    settings.defaultPairs !== undefined || settings.listen.some((one) => one.defaultPairs !== undefined);
  return [
    ...(odd.length === 0
      ? [finding('ok', AREA, '', 'the settings are accepted')]
      : odd.map((warning) => finding('warning', AREA, '', warning, remedyFor(warning)))),
    ...(ofDefault.length === 0
      ? [finding('ok', DEFAULT, '', isGiven ? 'it can be served' : 'it is minted at the start')]
      : ofDefault.map((warning) =>
          finding(
            OUTDATED.test(warning) ? 'error' : 'warning',
            DEFAULT,
            '',
            warning,
            warning.includes('intermediate certificate is missing')
              ? 'give the whole chain: fullchain.pem, not cert.pem'
              : 'renew it',
          ),
        )),
  ];
}

function remedyFor(warning: string): string {
  if (warning.includes('has no effect')) return 'leave it out, or add what it needs';
  if (warning.includes('in the environment')) return 'correct its name, or take it out of the environment';
  return 'see docs/flags.md';
}
