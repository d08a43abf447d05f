/**
 * How the backends of the routes do: as one worker sees them, each of which finds out for itself, and as all workers together do.
 * Plain JSON, since it crosses the bus and is printed.
 */

/** What a worker has against a backend. */
export interface BackendTrouble {
  /** It has failed several times in a row, and rests. Else its last attempt has failed, and it is asked on. */
  readonly isLeftOut: boolean;
  /** How long that has lasted, milliseconds. */
  readonly forMs: number;
  /** What its last failure was, as a clause; and how long ago. */
  readonly lastError: string;
  readonly lastErrorAgoMs: number;
}

/** A backend of one route, in one worker. */
export interface BackendFacts {
  /** The route's: `www.example.com`, `*.example.com`. Absent: that of every other name. */
  readonly pattern?: string;
  /** As in the log: `http://127.0.0.1:8080`, `tcp://127.0.0.1:25`. */
  readonly name: string;
  /** Connections that are in use, and those that are kept for the next request. */
  readonly busy: number;
  readonly idle: number;
  /** Absent: it works. */
  readonly trouble?: BackendTrouble;
}

/** All backends, in one worker. */
export interface WorkerBackends {
  readonly pid: number;
  readonly backends: readonly BackendFacts[];
}

/** A worker, or why it could not be asked. */
export type AskedBackends = WorkerBackends | { readonly pid: number; readonly failure: string };

/** A backend of one route, in all workers that have answered. */
export interface BackendStatus {
  /** The route's: `www.example.com`, `*.example.com`. Absent: that of every other name. */
  readonly pattern?: string;
  /** As in the log: `http://127.0.0.1:8080`, `tcp://127.0.0.1:25`. */
  readonly name: string;
  /**
   * `left out`: at least one worker leaves it out after several failures in a row, and tries it now and then. `failing`: at least one
   * worker has seen it fail, and not work since; it is asked on.
   */
  readonly state: 'up' | 'failing' | 'left out';
  /** Connections that are in use, and those that are kept for the next request. */
  readonly busy: number;
  readonly idle: number;
  /** How many workers have told of it. */
  readonly workers: number;
  /** Unless it is up. */
  readonly trouble?: {
    /** In how many workers it is in this state; and for how long, where that is longest, milliseconds. */
    readonly workers: number;
    readonly forMs: number;
    /** The last failure that any worker has seen, as a clause; and how long ago. */
    readonly lastError: string;
    readonly lastErrorAgoMs: number;
  };
}

export interface BackendsReport {
  /** How many workers were asked. */
  readonly workers: number;
  /** The processes of those that have not answered in time: what they know is missing. */
  readonly silentWorkers: readonly number[];
  /** How many backends there are, and how many of them are up. */
  readonly count: number;
  readonly upCount: number;
  /** Route by route. In a snapshot: at most 20, those in trouble first. */
  readonly backends: readonly BackendStatus[];
}
