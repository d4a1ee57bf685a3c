import { InternalFault, NotAccepting } from '../domain/fault.ts';
import { Lane, type LaneCall, type LaneOptions } from './lane.ts';

/** A script that decides many items in one call. */
export interface BatchCommand<Item, Outcome> {
  /** How much of a call's weight bound the item takes; lines, say. Throws for an item that no call can hold. */
  weigh(item: Item): number;
  /** The call for these items under this epoch at this time (ms since 1970). */
  pack(items: readonly Item[], epoch: number, at: number): LaneCall;
  /** One outcome an item, in order. */
  unpack(reply: unknown, items: readonly Item[], call: LaneCall): BatchOutcome<Outcome>[];
}

/** What became of one item; an Error is that item's alone and spoils no neighbour (P2). */
export type BatchOutcome<Outcome> = Outcome | InternalFault | typeof DEFERRED;

const DRAINING = new NotAccepting('this process is shutting down');
const GONE = new NotAccepting('its caller went away while it waited');

/** The call was full before this item was reached; nothing was decided about it. */
export const DEFERRED = Symbol('deferred');

export interface BatcherBounds {
  readonly itemsOfCall: number;
  readonly weightOfCall: number;
  /** Items that may wait; one more is refused. */
  readonly itemsWaiting: number;
  /** How long an item may wait before its call is built; later it is refused. */
  readonly waitMs: number;
  /** Calls in flight at once. */
  readonly lanes: number;
}

export interface BatcherOptions<Item, Outcome> extends LaneOptions {
  readonly command: BatchCommand<Item, Outcome>;
  readonly bounds: BatcherBounds;
}

export interface SubmitOptions {
  /** Whether nobody waits for the outcome any more; asked when the item's call is built. */
  readonly isGone?: (() => boolean) | undefined;
}

interface Waiting<Item, Outcome> extends SubmitOptions {
  readonly item: Item;
  readonly until: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  weight: number;
}

/**
 * Group commit: items wait only while calls are in flight; when one returns, all that have piled up go in the next,
 * up to its bounds. There is no timer, so under light load an item goes at once, and under heavy load one fsync
 * serves them all.
 *
 * Modes: OPEN (takes items), DRAINING (refuses new ones, finishes those it has), DRAINED (nothing waits, nothing in
 * flight; final).
 */
export class Batcher<Item, Outcome> {
  readonly #options: BatcherOptions<Item, Outcome>;
  readonly #idle: Lane[];
  readonly #waiting: Waiting<Item, Outcome>[] = [];
  /** Calls whose callers have not been told. */
  #unsettled = 0;
  #scheduled = false;
  #sweep: NodeJS.Timeout | null = null;
  #draining: (() => void) | null = null;
  #calls = 0;
  #itemsSent = 0;

  /** Made once each: under overload most of a refusal's cost was its stack trace. */
  readonly #full: NotAccepting;
  readonly #tooLate: NotAccepting;

  constructor(options: BatcherOptions<Item, Outcome>) {
    this.#options = options;
    const { itemsWaiting, waitMs } = options.bounds;
    this.#full = new NotAccepting(`${itemsWaiting} requests are waiting already`);
    this.#tooLate = new NotAccepting(`waited longer than ${waitMs} ms for its turn`);
    this.#idle = Array.from({ length: options.bounds.lanes }, () => new Lane(options));
  }

  /** Items that wait for a call. */
  get depth(): number {
    return this.#waiting.length;
  }

  /** Calls that were begun, and the items in them, since the start. */
  get sent(): { readonly calls: number; readonly items: number } {
    return { calls: this.#calls, items: this.#itemsSent };
  }

  /** Why an item would be refused now, or null: whoever asks first need not read the item. */
  get refusal(): NotAccepting | null {
    if (this.#draining) return DRAINING;
    return this.#waiting.length >= this.#options.bounds.itemsWaiting ? this.#full : null;
  }

  /**
   * Resolves to the item's outcome once it is on disk. Rejects with `NotAccepting` (nothing was done: queue full,
   * gate closed, draining, waited too long, its caller gone), `OutcomeUnknown` or `InternalFault`.
   */
  submit(item: Item, { isGone }: SubmitOptions = {}): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const refusal = this.refusal;
      if (refusal) return reject(refusal);
      const until = this.#options.clock.monotonicMs() + this.#options.bounds.waitMs;
      this.#waiting.push({ item, until, isGone, resolve, reject, weight: this.#options.command.weigh(item) });
      this.#schedule();
      this.#armSweep();
    });
  }

  /** Refuses new items from now on; resolves when every item taken before has its answer. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#draining = resolve;
      this.#settleIfDrained();
    });
  }

  /** Once an event-loop turn, so that all requests read from sockets in this turn share a call. */
  #schedule(): void {
    if (this.#scheduled || this.#idle.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      if (batch.length > 0) void this.#send(this.#idle.pop()!, batch);
    }
    this.#settleIfDrained();
  }

  /** Lanes that are held up take nothing: what waits too long for them is refused in its own time. */
  #armSweep(): void {
    const first = this.#waiting[0];
    if (this.#sweep || !first) return;
    const ms = Math.max(0, first.until - this.#options.clock.monotonicMs());
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#sweep = setTimeout(() => {
      this.#sweep = null;
      this.#refuseOverdue();
      this.#armSweep();
    }, Math.ceil(ms) + 1);
  }

  #refuseOverdue(): void {
    const now = this.#options.clock.monotonicMs();
    const inTime = this.#waiting.findIndex(({ until }) => until >= now);
    const overdue = this.#waiting.splice(0, inTime === -1 ? this.#waiting.length : inTime);
    for (const { reject } of overdue) reject(this.#tooLate);
    if (overdue.length > 0) this.#settleIfDrained();
  }

  #takeBatch(): Waiting<Item, Outcome>[] {
    const { itemsOfCall, weightOfCall } = this.#options.bounds;
    const now = this.#options.clock.monotonicMs();
    const batch: Waiting<Item, Outcome>[] = [];
    let weight = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (batch.length === itemsOfCall || (batch.length > 0 && weight + waiting.weight > weightOfCall)) break;
      taken += 1;
      const lapsed = this.#lapsed(waiting, now);
      if (lapsed) {
        waiting.reject(lapsed);
        continue;
      }
      batch.push(waiting);
      weight += waiting.weight;
    }
    this.#waiting.splice(0, taken);
    return batch;
  }

  /** Why nothing must be taken for it any more (P7), or null. */
  #lapsed({ until, isGone }: Waiting<Item, Outcome>, now: number): NotAccepting | null {
    if (until < now) return this.#tooLate;
    return isGone?.() ? GONE : null;
  }

  async #send(lane: Lane, batch: Waiting<Item, Outcome>[]): Promise<void> {
    const items = batch.map((waiting) => waiting.item);
    this.#unsettled += 1;
    this.#calls += 1;
    this.#itemsSent += items.length;
    try {
      const { call, reply } = await this.#ask(lane, items);
      this.#sendIfFull();
      this.#settle(batch, this.#options.command.unpack(reply, items, call));
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
    }
    this.#unsettled -= 1;
    // Never at once: while the gate is closed a call fails before it is sent, and thousands may be waiting.
    this.#schedule();
  }

  /** The lane is free again whatever comes of it. */
  async #ask(lane: Lane, items: Item[]): Promise<{ call: LaneCall; reply: unknown }> {
    const { command, clock, epoch } = this.#options;
    try {
      const call = command.pack(items, epoch(), clock.nowMs());
      return { call, reply: await lane.call(call) };
    } finally {
      this.#idle.push(lane);
    }
  }

  /**
   * A call that will not become fuller leaves before the callers of the last one are told, and before this turn of the
   * event loop has refused whoever does not fit: under overload Redis would wait for both.
   */
  #sendIfFull(): void {
    if (this.#waiting.length >= this.#options.bounds.itemsOfCall) this.#pump();
  }

  #settle(batch: Waiting<Item, Outcome>[], outcomes: BatchOutcome<Outcome>[]): void {
    if (outcomes.length !== batch.length) {
      throw new InternalFault(`${batch.length} items went in, ${outcomes.length} outcomes came back`);
    }
    const deferred: Waiting<Item, Outcome>[] = [];
    outcomes.forEach((outcome, index) => {
      const waiting = batch[index]!;
      if (outcome === DEFERRED) deferred.push(waiting);
      else if (outcome instanceof InternalFault) waiting.reject(outcome);
      else waiting.resolve(outcome);
    });
    this.#putBack(deferred);
  }

  /** In front, in order; now known to be heavy, so that the first of them is sure to be decided next time. */
  #putBack(deferred: Waiting<Item, Outcome>[]): void {
    const heavy = Math.floor(this.#options.bounds.weightOfCall / 3);
    for (const waiting of deferred) waiting.weight = Math.max(waiting.weight, heavy);
    this.#waiting.unshift(...deferred);
  }

  #settleIfDrained(): void {
    if (this.#draining && this.#unsettled === 0 && this.#waiting.length === 0) this.#draining();
  }
}
