/**
 * What is wrong with a message on HTTP/1.1, whichever side has sent it.
 */

/** A message that is not valid, or could be understood in two ways. It ends its connection. */
export class MalformedMessage extends Error {
  /** Where the message is not wrong but too large: what of it. */
  readonly excess: 'head' | 'chunk extensions' | undefined;

  constructor(message: string, excess?: MalformedMessage['excess']) {
    super(message);
    this.name = 'MalformedMessage';
    this.excess = excess;
  }
}
