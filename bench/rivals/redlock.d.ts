/** The package has types, but its `exports` does not name them. */
declare module 'redlock' {
  export interface Lock {
    release(): Promise<unknown>;
  }

  /** Milliseconds; `retryCount` -1 = for ever. */
  export interface Settings {
    retryCount: number;
    retryDelay: number;
    retryJitter: number;
  }

  export default class Redlock {
    constructor(clients: Iterable<object>, settings: Settings);
    acquire(resources: string[], milliseconds: number): Promise<Lock>;
  }
}
