import { randomBytes } from 'node:crypto';
import { type IdempotencyRecord, splitToken } from '../domain/idempotency.ts';
import {
  type ChangedEvent,
  decideStep,
  type EventBook,
  type EventItem,
  type EventStep,
  overlapsOf,
  parseEventOutcome,
  type SaleEvent,
} from '../domain/sale-event.ts';
import type { EventOutcome, EventRequest } from '../redis/commands/change-event.ts';
import type { Clock } from '../runtime/clock.ts';

/** An event as somebody asks for it; see `SaleEvent`. */
export type EventDraft = Omit<SaleEvent, 'id' | 'status' | 'occurrence'>;

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
 * What became of a wish to create an event, or to open, close or cancel one. `shortfalls`: the items of which less was there
 * to move into the event's pool than its allotment says. `overlap` names the events that have one of its products then.
 */
export type EventResult =
  | Done
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'overlap'; readonly events: readonly SaleEvent[] }
  | { readonly kind: 'unknown_product'; readonly skus: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'impossible'; readonly reason: string }
  | { readonly kind: 'taken'; readonly skus: readonly string[] };

/** Units of an allotment, and how many of them there were. */
export interface Shortfall {
  readonly sku: string;
  readonly stock: number;
  readonly moved: number;
}

export interface SaleEventsOptions {
  readonly clock: Clock;
  readonly readEvents: () => Promise<EventBook>;
  readonly changeEvent: (request: EventRequest) => Promise<EventOutcome>;
  /** What an idempotency key led to before: content and outcome, or null. */
  readonly readRecord: (token: string) => Promise<IdempotencyRecord | null>;
}

/**
 * The sale events: whoever changes one reads the whole book, decides, and writes under the revision that was read; when
 * somebody else was quicker, all of it again. So what was decided always fits what is there.
 */
export class SaleEvents {
  readonly #options: SaleEventsOptions;

  constructor(options: SaleEventsOptions) {
    this.#options = options;
  }

  /** All events, those that start first first. */
  async list(): Promise<SaleEvent[]> {
    const { events } = await this.#options.readEvents();
    return [...events.values()].sort((a, b) => a.startsAt - b.startsAt || (a.id < b.id ? -1 : 1));
  }

  async find(id: string): Promise<SaleEvent | null> {
    return (await this.#options.readEvents()).events.get(id) ?? null;
  }

  /** Schedules an event. Rejects as `Batcher.submit` does. */
  async create(draft: EventDraft, { token }: KeyedOptions = {}): Promise<EventResult> {
    const event: SaleEvent = { id: newId(), ...draft, status: 'scheduled', occurrence: 1 };
    for (;;) {
      const { revision, events } = await this.#options.readEvents();
      const overlaps = overlapsOf(event, events.values());
      if (overlaps.length > 0)
        return await this.#unlessReplayed(token, { kind: 'overlap', events: overlaps });
      const result = await this.#change({ revision, event, action: 'record', token });
      if (result) return result;
    }
  }

  /** Opens, closes or cancels the event of this id now; what is so already stays so. Rejects as `Batcher.submit` does. */
  async step(id: string, step: EventStep, { token }: KeyedOptions = {}): Promise<EventResult> {
    for (;;) {
      const { revision, events } = await this.#options.readEvents();
      const found = events.get(id);
      if (!found) return { kind: 'missing' };
      const decision = decideStep(found, step, this.#options.clock.nowMs());
      if (decision.kind === 'impossible') return await this.#unlessReplayed(token, decision);
      if (decision.kind === 'already' && !token) return done({ event: found, action: 'record', moved: [] });
      // With a key even what is so already is written down: it must be answered the same when it is so no more.
      const { event, action } =
        decision.kind === 'already' ? { event: found, action: 'record' as const } : decision;
      const result = await this.#change({ revision, event, action, token });
      if (result) return result;
    }
  }

  /** Null when somebody else was quicker. */
  async #change(request: EventRequest): Promise<EventResult | null> {
    const outcome = await this.#options.changeEvent(request);
    if (outcome.kind === 'conflict') return null;
    if (outcome.kind === 'changed') return done(outcome.changed);
    if (outcome.kind === 'replayed') return { ...done(outcome.changed), isReplayed: true };
    return outcome;
  }

  /** A refusal stands only where the key has not led to a success before. */
  async #unlessReplayed(token: string | undefined, refusal: EventResult): Promise<EventResult> {
    const record = token === undefined ? null : await this.#options.readRecord(token);
    if (!record) return refusal;
    if (record.content !== splitToken(token!).content || !record.outcome.startsWith('!'))
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

/** Not guessable from others and short enough to type: 12 characters of base 64 (URL form). */
function newId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
