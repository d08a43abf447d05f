/**
 * The field `Date` of a response that comes without one (RFC 9110 §6.6.1).
 */

let second = -1;
let text = '';

/** The present time as the field has it; one text a second. */
export function dateNow(nowMs: number = Date.now()): string {
  const thisSecond = Math.floor(nowMs / 1000);
  if (thisSecond !== second) {
    second = thisSecond;
    text = new Date(nowMs).toUTCString();
  }
  return text;
}
