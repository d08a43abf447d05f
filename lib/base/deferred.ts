/**
 * A promise with its ends outside, as `Promise.withResolvers` makes it from Node 22 on.
 */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function defer<T>(): Deferred<T> {
  let resolve: ((value: T) => void) | undefined;
  let reject: ((error: Error) => void) | undefined;
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  if (resolve === undefined || reject === undefined)
    throw new TypeError('a promise calls its executor at once');
  return { promise, resolve, reject };
}
