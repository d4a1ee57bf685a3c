import { randomBytes } from 'node:crypto';
import {
  decideAdjustment,
  decideDue,
  decideEdit,
  decideStep,
  type EventStep,
  schedulingOf,
} from '../domain/event-decisions.ts';
import { InternalFault } from '../domain/fault.ts';
import { type IdempotencyRecord, splitToken } from '../domain/idempotency.ts';
import {
  byStart,
  type ChangedEvent,
  type EventAction,
  type EventBook,
  type EventItem,
  overlapsOf,
  parseEventOutcome,
  type SaleEvent,
} from '../domain/sale-event.ts';
import type { AllotmentShortage, EventOutcome, EventRequest } from '../redis/commands/change-event.ts';
import type { EventOfBook } from '../redis/event-reader.ts';
import type { Clock } from '../runtime/clock.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** An event as somebody asks for it; see `SaleEvent`. */
export type EventDraft = Omit<SaleEvent, 'id' | 'status' | 'occurrence'>;

/** What is to be another of an event that is scheduled; what is absent stays. */
export type EventEdit = Partial<EventDraft>;

/** Signed changes of an open event's allotments, in units: positive ones come from `regular`, negative ones go back. */
export interface AllotmentAdjustment {
  readonly items: readonly { readonly sku: string; readonly delta: number }[];
  readonly reason: string;
}

/** Who asks for the same twice, with one idempotency key, gets the first answer again. */
export interface KeyedOptions {
  /** The token of the request's idempotency key (`tokenOf`), if it carries one. */
  readonly token?: string | undefined;
}

/** `isReplayed`: the idempotency key led to this before, and nothing was done now. */
interface Done {
  readonly kind: 'done';
  readonly event: SaleEvent;
  readonly shortfalls: readonly Shortfall[];
  readonly isReplayed: boolean;
}

/**
 * What became of a wish to create an event, or to change, open, close, cancel or adjust one. `shortfalls`: the items of which less was
 * there to move into the event's pool than its allotment says. `overlap` names the events that have one of its products then;
 * `not_carried` the products of an adjustment that the event does not have, `short` the items of which there is less than it asks for.
 * But for `done` nothing was changed.
 */
export type EventResult =
  | Done
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'overlap'; readonly events: readonly SaleEvent[] }
  | { readonly kind: 'unknown_product'; readonly skus: readonly string[] }
  | { readonly kind: 'not_carried'; readonly skus: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'impossible'; readonly reason: string }
  | { readonly kind: 'short'; readonly items: readonly AllotmentShortage[] }
  | { readonly kind: 'taken'; readonly skus: readonly string[] };

/**
 * What became of a look at what is due: `done`, it was opened or closed, or its window was missed; `stale`, this is not the event's
 * present occurrence or nothing is to be done about it any more; `early`, nothing is due before `at` (ms since 1970).
 */
export type AdvanceResult =
  | {
      readonly kind: 'done';
      readonly event: SaleEvent;
      readonly action: EventAction;
      readonly shortfalls: readonly Shortfall[];
    }
  | { readonly kind: 'stale' }
  | { readonly kind: 'early'; readonly at: number }
  | { readonly kind: 'taken'; readonly skus: readonly string[] }
  | { readonly kind: 'missing' };

/** Units of an allotment, and how many of them there were. */
export interface Shortfall {
  readonly sku: string;
  readonly stock: number;
  readonly moved: number;
}

export interface SaleEventsOptions {
  readonly clock: Clock;
  readonly readEvents: () => Promise<EventBook>;
  readonly readEvent: (id: string) => Promise<EventOfBook>;
  readonly changeEvent: (request: EventRequest) => Promise<EventOutcome>;
  /** What an idempotency key led to before: content and outcome, or null. */
  readonly readRecord: (token: string) => Promise<IdempotencyRecord | null>;
}

/**
 * The sale events: whoever changes one reads it, decides, and writes under the revision that was read; when somebody else was quicker,
 * all of it again. So what was decided always fits what is there. Only who says when an event is to be reads the whole book, for
 * what it overlaps.
 */
export class SaleEvents {
  readonly #options: SaleEventsOptions;
  readonly #takeTurns = oneAtATime((change: () => Promise<void>) => change());

  constructor(options: SaleEventsOptions) {
    this.#options = options;
  }

  /** All events, those that start first first. */
  async list(): Promise<SaleEvent[]> {
    const { events } = await this.#options.readEvents();
    return [...events.values()].sort(byStart);
  }

  async find(id: string): Promise<SaleEvent | null> {
    return (await this.#options.readEvent(id)).event;
  }

  /** Schedules an event. Rejects as `Batcher.submit` does. */
  async create(draft: EventDraft, { token }: KeyedOptions = {}): Promise<EventResult> {
    const event: SaleEvent = { id: newId(), ...draft, status: 'scheduled', occurrence: 1 };
    return await this.#inTurn(async () => {
      const { revision, events } = await this.#options.readEvents();
      const overlaps = overlapsOf(event, events.values());
      if (overlaps.length > 0)
        return await this.#unlessReplayed(token, { kind: 'overlap', events: overlaps });
      return await this.#change({ revision, ...schedulingOf(event), token });
    });
  }

  /** Opens, closes or cancels the event of this id now; what is so already stays so. Rejects as `Batcher.submit` does. */
  async step(id: string, step: EventStep, { token }: KeyedOptions = {}): Promise<EventResult> {
    return await this.#inTurn(async () => {
      const { revision, event: found } = await this.#options.readEvent(id);
      if (!found) return { kind: 'missing' };
      const decision = decideStep(found, step, this.#options.clock.nowMs());
      if (decision.kind === 'impossible') return await this.#unlessReplayed(token, decision);
      if (decision.kind === 'already' && !token) return done({ event: found, action: 'record', moved: [] });
      // With a key even what is so already is written down: it must be answered the same when it is so no more.
      const { event, action, occurrences } =
        decision.kind === 'already' ? { event: found, action: 'record' as const, occurrences: [] } : decision;
      return await this.#change({ revision, event, action, occurrences, token });
    });
  }

  /** Changes an event that is scheduled; its next window is `edit`'s, if it has one. Rejects as `Batcher.submit` does. */
  async edit(id: string, edit: EventEdit): Promise<EventResult> {
    return await this.#inTurn(async () => {
      const { revision, events } = await this.#options.readEvents();
      const found = events.get(id);
      if (!found) return { kind: 'missing' };
      const decision = decideEdit(found, edit, this.#options.clock.nowMs());
      if (decision.kind === 'impossible') return decision;
      const overlaps = overlapsOf(decision.event, events.values());
      if (overlaps.length > 0) return { kind: 'overlap', events: overlaps };
      return await this.#change({ revision, ...decision });
    });
  }

  /** Moves some more units into the pools of an open event, or back. All or nothing. Rejects as `Batcher.submit` does. */
  async adjust(
    id: string,
    { items, reason }: AllotmentAdjustment,
    { token }: KeyedOptions = {},
  ): Promise<EventResult> {
    return await this.#inTurn(async () => {
      const { revision, event: found } = await this.#options.readEvent(id);
      if (!found) return { kind: 'missing' };
      const decision = decideAdjustment(found, items);
      if (decision.kind !== 'change') return await this.#unlessReplayed(token, decision);
      return await this.#change({ revision, ...decision, reason, token });
    });
  }

  /**
   * Does what is due for an occurrence of an event by the engine's clock, whoever says so and however often: whether it opens,
   * closes or was missed does not depend on what was said, or in which order. Rejects as `Batcher.submit` does.
   */
  async advance(id: string, occurrence: number): Promise<AdvanceResult> {
    return await this.#inTurn(async () => {
      const { revision, event: found } = await this.#options.readEvent(id);
      if (!found) return { kind: 'missing' };
      if (found.occurrence !== occurrence) return { kind: 'stale' };
      const decision = decideDue(found, this.#options.clock.nowMs());
      if (decision.kind === 'nothing')
        return decision.at === null ? { kind: 'stale' } : { kind: 'early', at: decision.at };
      const { event, action, occurrences } = decision;
      const result = await this.#change({ revision, event, action, occurrences });
      if (!result || result.kind === 'taken') return result;
      if (result.kind === 'done') return { kind: 'done', event, action, shortfalls: result.shortfalls };
      throw new InternalFault(`event ${id} could not be advanced: ${result.kind}`);
    });
  }

  /**
   * One change after the other: all are made under the same revision, and of those who decide at once only one can be right.
   * `attempt` resolves to null when somebody else, in another process, was quicker; then it is made again.
   */
  async #inTurn<Result>(attempt: () => Promise<Result | null>): Promise<Result> {
    let result: Result | null = null;
    await this.#takeTurns(async () => {
      while (result === null) result = await attempt();
    });
    return result!;
  }

  /** Null when somebody else was quicker, or the clock is elsewhere than when it was decided. */
  async #change(request: EventRequest): Promise<EventResult | null> {
    const outcome = await this.#options.changeEvent(request);
    if (outcome.kind === 'conflict' || outcome.kind === 'untimely') return null;
    if (outcome.kind === 'changed') return done(outcome.changed);
    if (outcome.kind === 'replayed') return { ...done(outcome.changed), isReplayed: true };
    return outcome;
  }

  /** A refusal stands only where the key has not led to a success before. */
  async #unlessReplayed(token: string | undefined, refusal: EventResult): Promise<EventResult> {
    return (token !== undefined && (await this.replay(token))) || refusal;
  }

  /**
   * What an idempotency key led to before, null where it is new: for whoever refuses a request for what it asks now, which may have
   * been right then.
   */
  async replay(token: string): Promise<EventResult | null> {
    const record = await this.#options.readRecord(token);
    if (!record) return null;
    if (record.content !== splitToken(token).content || !record.outcome.startsWith('!'))
      return { kind: 'idempotency_mismatch' };
    return { ...done(parseEventOutcome(record.outcome)), isReplayed: true };
  }
}

function done({ event, action, moved }: ChangedEvent): Done {
  const short = action === 'open' ? shortfalls(event.items, moved) : [];
  return { kind: 'done', event, shortfalls: short, isReplayed: false };
}

function shortfalls(items: readonly EventItem[], moved: readonly number[]): Shortfall[] {
  return items
    .map(({ sku, stock }, at) => ({ sku, stock, moved: moved[at]! }))
    .filter((item) => item.moved < item.stock);
}

const ID_BYTES = 9;

/**
 * Not guessable from others and short enough to type: 12 characters of base 64 (URL form). None begins with a hyphen: a command would
 * take it for an option.
 */
function newId(): string {
  for (;;) {
    const id = randomBytes(ID_BYTES).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
