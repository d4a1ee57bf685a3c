import type { AutocannonClient } from 'autocannon';
import type { LoadJob, LoadResult } from './job.ts';
import { LatencyRecorder } from './latencies.ts';

const CREATED = 201;
const CONFLICT = 409;

/** Where a connection stands in its own orders: its nth answer is that of its nth order, round and round. */
export interface ClientState {
  readonly orders: readonly number[];
  answered: number;
}

/** Counts answers: all of them for the books, those of the measured window for the figures. */
export class Tally {
  readonly clients = new Map<AutocannonClient, ClientState>();
  readonly #accepted = new LatencyRecorder();
  readonly #refused = new LatencyRecorder();
  readonly #statuses: Record<string, number> = {};
  readonly #acceptedOf: number[];
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

  /** An answer has come: `milliseconds` since it was asked for. */
  add(state: ClientState, status: number, milliseconds: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status === CREATED) this.#acceptedOf[state.orders[(state.answered - 1) % state.orders.length]!]! += 1;
    if (!this.#window || this.#measured) return;
    if (status === CREATED) this.#accepted.add(milliseconds);
    else if (status === CONFLICT) this.#refused.add(milliseconds);
  }

  result(errors: number): LoadResult {
    const measured = this.#measured!;
    const [accepted, refused] = [this.#accepted.summary(), this.#refused.summary()];
    const seconds = (measured.windowEnd - measured.windowStart) / 1_000;
    return {
      ...measured,
      acceptedPerSecond: accepted.count / seconds,
      refusedPerSecond: refused.count / seconds,
      accepted,
      refused,
      statuses: this.#statuses,
      acceptedOf: this.#acceptedOf,
      errors,
    };
  }
}

/** How long a job sends, in seconds. */
export function secondsOf(job: LoadJob): number {
  return job.warmUpSeconds + job.seconds;
}
