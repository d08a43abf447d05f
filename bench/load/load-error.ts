/** A server did not do what the load asked of it: there is no figure. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}
