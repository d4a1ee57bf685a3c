import { NotAccepting } from '../../engine/domain/fault.ts';
import type { EventStock } from '../../engine/redis/event-stock-reader.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { LiveEvent } from './live-event.ts';

export interface LiveEventsOptions {
  /** What is there of these events, null where there is none; rejects when that cannot be known, or not be believed. */
  readonly read: (ids: readonly string[]) => Promise<(EventStock | null)[]>;
  /** An event will not be read again soon. */
  readonly forget: (id: string) => void;
  readonly clock: Clock;
}

/** At most 10 messages a second: more often nobody is told anything. */
export const SHORTEST_INTERVAL_MS = 100;
/** Many large events are read less often, so that Redis has its time for orders: 50 levels take it about 20 µs. */
const MOST_LEVELS_PER_SECOND = 50_000;
/** What was read so long ago is not told to somebody who comes now. */
const FRESH_MS = 500;
/** Events that nobody watches any more, kept for those who come back with a Last-Event-ID. */
const MOST_UNWATCHED = 64;

interface Kept {
  readonly live: LiveEvent;
  readAt: number;
  /** Redis could not be read, or not be believed: nothing is told until it is read again. */
  inDoubt: boolean;
  isWatched: boolean;
}

/**
 * The events that somebody watches, read together every 100 ms however many clients there are; and for a while those that
 * somebody has watched, which are not read.
 */
export class LiveEvents {
  readonly #options: LiveEventsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #finding = new Map<string, Promise<LiveEvent | null>>();
  #refreshing = false;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LiveEventsOptions) {
    this.#options = options;
  }

  /** The event as it is now; null when there is none. Rejects when that cannot be known. */
  async find(id: string): Promise<LiveEvent | null> {
    const kept = this.#kept.get(id);
    if (kept?.isWatched && !kept.inDoubt && this.#now() - kept.readAt < FRESH_MS) return kept.live;
    const finding = this.#finding.get(id) ?? this.#find(id).finally(() => this.#finding.delete(id));
    this.#finding.set(id, finding);
    return await finding;
  }

  /** Whether what is known of it may be told. */
  isSure({ id }: LiveEvent): boolean {
    return this.#kept.get(id)?.inDoubt === false;
  }

  /** From now on it is read again and again. */
  watch(live: LiveEvent): void {
    const kept = this.#kept.get(live.id);
    if (kept?.live === live) kept.isWatched = true;
    else this.#kept.set(live.id, { live, readAt: this.#now(), inDoubt: true, isWatched: true });
  }

  /** Nobody watches it any more. */
  unwatch({ id }: LiveEvent): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    kept.isWatched = false;
    this.#keepLast(id, kept);
  }

  /** Nothing that is known is to be told until it has been read again. */
  doubt(): void {
    for (const kept of this.#kept.values()) kept.inDoubt = true;
  }

  /**
   * Reads all that is watched again, unless it is too early for that or the last reading is not over. Resolves to the events that
   * are gone: a Redis that was rebuilt may not have them any more. Rejects only for a defect.
   */
  async refresh(): Promise<LiveEvent[]> {
    if (this.#refreshing || this.#now() - this.#refreshedAt < this.#intervalMs()) return [];
    this.#refreshing = true;
    this.#refreshedAt = this.#now();
    const ids = [...this.#kept.values()].filter(({ isWatched }) => isWatched).map(({ live }) => live.id);
    try {
      const stocks = await this.#options.read(ids);
      return ids.flatMap((id, at) => this.#take(id, stocks[at]!) ?? []);
    } catch (error) {
      this.doubt();
      if (!(error instanceof NotAccepting)) throw error;
      return []; // the gate says why, and whoever comes now is told
    } finally {
      this.#refreshing = false;
    }
  }

  #intervalMs(): number {
    let levels = 0;
    for (const { isWatched, live } of this.#kept.values()) if (isWatched) levels += live.size;
    return Math.max(SHORTEST_INTERVAL_MS, (levels * 1_000) / MOST_LEVELS_PER_SECOND);
  }

  async #find(id: string): Promise<LiveEvent | null> {
    const [stock] = await this.#options.read([id]);
    if (!stock) {
      this.#options.forget(id);
      return null;
    }
    const kept = this.#kept.get(id) ?? newlyKept(id);
    if (!kept.isWatched) this.#keepLast(id, kept);
    this.#take(id, stock);
    return kept.live;
  }

  /** Returns the event if it is gone. */
  #take(id: string, stock: EventStock | null): LiveEvent | null {
    const kept = this.#kept.get(id);
    if (!kept) return null;
    if (!stock) {
      this.#drop(id);
      return kept.live;
    }
    kept.live.update(stock);
    if (kept.inDoubt) kept.live.tellAll();
    kept.inDoubt = false;
    kept.readAt = this.#now();
    return null;
  }

  /** Of those that nobody watches the one that was looked for longest ago goes first. */
  #keepLast(id: string, kept: Kept): void {
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    const unwatched = [...this.#kept.values()].filter(({ isWatched }) => !isWatched);
    for (const { live } of unwatched.slice(0, -MOST_UNWATCHED)) this.#drop(live.id);
  }

  #drop(id: string): void {
    this.#kept.delete(id);
    this.#options.forget(id);
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

function newlyKept(id: string): Kept {
  return { live: new LiveEvent(id), readAt: 0, inDoubt: false, isWatched: false };
}
