import type { AutocannonClient } from 'autocannon';

const TICK_MS = 1;

/**
 * Sends on a schedule: request n of a connection is due at its nth slot, whether the one before was answered or not,
 * and its latency counts from when it was due. That is what a shopper feels who presses a button when they want to
 * (no coordinated omission).
 *
 * autocannon's own rate sends each second's requests in one burst at full speed and waits for the next second, and
 * corrects latencies by an interval of 1 ms whatever the rate. So its per-second budget is fed here, slot by slot.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #clients: readonly AutocannonClient[];
  readonly #sent: ReadonlyMap<AutocannonClient, { answered: number }>;
  readonly #phases: ReadonlyMap<AutocannonClient, number>;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;

  /** @param ratePerSecond requests a second of all clients together */
  constructor(
    clients: readonly AutocannonClient[],
    ratePerSecond: number,
    sent: ReadonlyMap<AutocannonClient, { answered: number }>,
  ) {
    this.#clients = clients;
    this.#sent = sent;
    this.#phases = new Map(clients.map((client, at) => [client, at / clients.length]));
    this.#intervalMs = (1_000 * clients.length) / ratePerSecond;
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) this.#release(client);
  }

  /** Ms from when the request that was just answered was due until now. */
  sinceDue(client: AutocannonClient): number {
    const nth = this.#sent.get(client)!.answered - 1;
    return performance.now() - this.#startedAt - this.#due(client, nth);
  }

  #tick(): void {
    for (const client of this.#clients) {
      client.rate = this.#slotsUntilNow(client);
      this.#wake(client);
    }
  }

  #slotsUntilNow(client: AutocannonClient): number {
    const elapsed = performance.now() - this.#startedAt - this.#due(client, 0);
    return Math.max(1, Math.floor(elapsed / this.#intervalMs) + 1);
  }

  /** Connections take turns within the interval instead of all sending at once. */
  #due(client: AutocannonClient, nth: number): number {
    return (nth + this.#phases.get(client)!) * this.#intervalMs;
  }

  #wake(client: AutocannonClient): void {
    client.reqsMadeThisSecond = client.reqsMade; // it counts denied attempts too
    if (!client.paused || client.reqsMade >= client.rate!) return;
    client.paused = false;
    client._doRequest();
  }

  #release(client: AutocannonClient): void {
    client.rate = Number.MAX_SAFE_INTEGER;
    if (!client.paused) return;
    client.paused = false;
    client._doRequest();
  }
}
