import type { LoadResult } from './job.ts';
import { LatencyRecorder } from './latencies.ts';

const CREATED = 201;
const CONFLICT = 409;
const UNAVAILABLE = 503;

/** Counts answers: all of them for the books, those of the measured window for the figures. */
export class Tally {
  readonly #of = new Map([CREATED, CONFLICT, UNAVAILABLE].map((status) => [status, new LatencyRecorder()]));
  readonly #statuses: Record<string, number> = {};
  readonly #acceptedOf: number[];
  #notOffered = 0;
  #window: { start: number; at: number; cpu: NodeJS.CpuUsage } | null = null;
  #measured: Pick<LoadResult, 'windowStart' | 'windowEnd' | 'generatorBusy'> | null = null;

  constructor(orders: number) {
    this.#acceptedOf = new Array(orders).fill(0);
  }

  openWindow(): void {
    this.#window = { start: Date.now(), at: performance.now(), cpu: process.cpuUsage() };
  }

  closeWindow(): void {
    const { start, at, cpu } = this.#window!;
    const elapsedMs = performance.now() - at;
    const { user, system } = process.cpuUsage(cpu);
    const generatorBusy = (user + system) / 1_000 / elapsedMs;
    this.#measured = { windowStart: start, windowEnd: start + elapsedMs, generatorBusy };
  }

  /** The order of this index has its answer: `milliseconds` since it was asked for. */
  add(order: number, status: number, milliseconds: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status === CREATED) this.#acceptedOf[order]! += 1;
    if (this.#measures()) this.#of.get(status)?.add(milliseconds);
  }

  /** A request was due, and no connection was free to send it. */
  addNotOffered(): void {
    if (this.#measures()) this.#notOffered += 1;
  }

  /** @param errors broken connections and requests without an answer */
  result(errors: number): LoadResult {
    const measured = this.#measured!;
    const [accepted, refused, shed] = [CREATED, CONFLICT, UNAVAILABLE].map((status) =>
      this.#of.get(status)!.summary(),
    ) as [LoadResult['accepted'], LoadResult['refused'], LoadResult['shed']];
    const seconds = (measured.windowEnd - measured.windowStart) / 1_000;
    return {
      ...measured,
      acceptedPerSecond: accepted.count / seconds,
      refusedPerSecond: refused.count / seconds,
      shedPerSecond: shed.count / seconds,
      notOfferedPerSecond: this.#notOffered / seconds,
      accepted,
      refused,
      shed,
      statuses: this.#statuses,
      acceptedOf: this.#acceptedOf,
      errors,
    };
  }

  #measures(): boolean {
    return this.#window !== null && this.#measured === null;
  }
}
