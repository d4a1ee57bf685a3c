import type { PlainConnection } from './plain-connection.ts';

/** Connections that nothing is in flight on, the longest free first: so none lies idle until the server closes it. */
export class FreeConnections {
  readonly #ring: (PlainConnection | undefined)[];
  #first = 0;
  #count = 0;

  /** @param capacity how many connections there are in all */
  constructor(capacity: number) {
    this.#ring = new Array(capacity).fill(undefined);
  }

  put(connection: PlainConnection): void {
    this.#ring[(this.#first + this.#count) % this.#ring.length] = connection;
    this.#count += 1;
  }

  take(): PlainConnection | undefined {
    if (this.#count === 0) return undefined;
    const connection = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#ring.length;
    this.#count -= 1;
    return connection;
  }
}
