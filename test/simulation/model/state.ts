/** What the model knows, in maps and lists of plain values: all that the scripts can change in Redis, and the truth besides. */

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** `eventId`: the sale event whose pool the line took its units from; null = the regular pool. */
export interface OrderedLine extends Line {
  readonly unitPrice: number;
  readonly eventId: string | null;
}

/** Units of a pool: `eventId` as in `OrderedLine`. */
export type PooledLine = Omit<OrderedLine, 'unitPrice'>;

/** What a sale event makes of a SKU from its opening to its close. Times and `holdMs` in ms; `limit` 0 = none. */
export interface Offer {
  readonly event: string;
  readonly price: number;
  readonly limit: number;
  readonly holdMs: number;
  readonly startsAt: number;
  readonly endsAt: number;
  /** The sequence of the entry that opened the event. */
  readonly opened: number;
}

/** An event as a change left it: `record` is JSON; `moved` units into its pool, by item. */
export interface ChangedEvent {
  readonly event: string;
  readonly action: 'record' | 'open' | 'close' | 'adjust';
  readonly record: string;
  readonly moves: readonly { readonly sku: string; readonly units: number }[];
}

/** The two parts of an idempotency token: the key, and what is asked under it. */
export interface Token {
  readonly scope: string;
  readonly content: string;
}

/** What a key has led to: the place of an order, what was available after an adjustment, or what an order or an event became. */
export type Led =
  | { readonly place: string }
  | { readonly available: number }
  | { readonly status: Status }
  | { readonly changed: ChangedEvent };

export type Kept = { readonly content: string } & Led;

export type Status = 'held' | 'placed' | 'cancelled' | 'expired';

/** One entry of the journal. `at` in ms since 1970. */
export type ModelEntry = { readonly sequence: number; readonly at: number } & Deed;

/** What an entry tells. */
export type Deed =
  | { readonly kind: 'orders'; readonly orders: readonly EntryOrder[] }
  | { readonly kind: 'products'; readonly products: readonly EntryProduct[] }
  | { readonly kind: 'wishlists'; readonly changes: readonly (Line & { readonly user: string })[] }
  | {
      readonly kind: 'settlements';
      readonly settlements: readonly EntrySettlement[];
      readonly keyed: readonly { readonly token: string; readonly status: Status }[];
    }
  | (ChangedEvent & { readonly kind: 'events'; readonly token: string | null })
  | { readonly kind: 'adjustments'; readonly adjustments: readonly EntryAdjustment[] };

export interface EntryOrder {
  readonly place: string;
  readonly user: string;
  readonly lines: readonly OrderedLine[];
  readonly total: number;
  readonly status: Status;
  readonly expiresAt: number | null;
  readonly fromWishlist: boolean;
  readonly token: string | null;
}

export interface EntryProduct {
  readonly sku: string;
  readonly price: number;
  readonly stock: number | null;
  readonly details: unknown;
}

export interface EntrySettlement {
  readonly place: string;
  readonly status: Status;
  /** Those that went back to the pool that they came from. */
  readonly lines: readonly PooledLine[];
  /** Those whose event is closed by now, or was opened again: they went to the regular pool. */
  readonly strays: readonly PooledLine[];
  /** Whose counts went down; null = nobody's. */
  readonly countedFor: string | null;
  /** Why it was cancelled; null where nobody said. */
  readonly reason: string | null;
}

export interface EntryAdjustment {
  readonly sku: string;
  readonly delta: number;
  readonly reason: string;
  readonly available: number;
  readonly token: string | null;
}

/** An order by right. */
export interface ModelOrder {
  status: Status;
  readonly user: string;
  readonly lines: readonly OrderedLine[];
  /** The sequence of its entry. */
  readonly decided: number;
}

const SLOTS = 6;

/** Where a level is kept: a SKU in the regular pool, SKU NUL event id in an event's. */
export function levelField(sku: string, eventId: string | null): string {
  return eventId === null ? sku : `${sku}\0${eventId}`;
}

/** What a limit counts by: an opening, a SKU and a user. */
export const countField = (opened: number, sku: string, user: string): string =>
  `1-${opened}\0${sku}\0${user}`;

/** Whether an offer is in force at `at`, ms since 1970. */
export const isInForce = ({ startsAt, endsAt }: Pick<Offer, 'startsAt' | 'endsAt'>, at: number): boolean =>
  startsAt <= at && at < endsAt;

export class ModelState {
  /** By level field. */
  readonly levels = new Map<string, number>();
  readonly prices = new Map<string, number>();
  readonly details = new Map<string, string>();
  readonly wishlists = new Map<string, Line[]>();
  /** By place: what every order is by right, whatever Redis has forgotten of it. */
  readonly orders = new Map<string, ModelOrder>();
  /** By place: when the hold ends, ms since 1970. */
  readonly holds = new Map<string, number>();
  /** By place: the lines of an order that is held, and whose counts they are in; '' = nobody's. */
  readonly held = new Map<string, { readonly user: string; readonly lines: readonly PooledLine[] }>();
  /** By SKU: what an open event makes of it. */
  readonly offers = new Map<string, Offer>();
  /** By opening, SKU and user (`countField`): units in live orders; those of an event that was closed stay as they were. */
  readonly counts = new Map<string, number>();
  /** By id: the JSON of every event. */
  readonly events = new Map<string, string>();
  /** How often events were changed. */
  revision = 0;
  /** By place: what became of an order, as of which entry, until that is trimmed. */
  readonly marks = new Map<string, { readonly status: Status; readonly sequence: number }>();
  /** The newest entry whose marks are gone; -1 = none is. */
  forgotten = -1;
  /** The ring of idempotency records; `since` null = it never turned nor was it looked at. */
  ring: { readonly slot: number; readonly since: number | null } = { slot: 1, since: null };
  readonly slots = Array.from({ length: SLOTS }, () => new Map<string, Kept>());
  readonly pins = new Map<string, { readonly sequence: number; readonly untilMs: number }>();
  /** The journal, oldest first; what is trimmed is gone from here. */
  entries: ModelEntry[] = [];
  /** Of the next entry. */
  sequence = 0;

  /** Appends an entry, if there is anything to tell; gives its sequence, or -1. */
  append(at: number, things: readonly unknown[], deed: Deed): number {
    if (things.length === 0) return -1;
    this.entries.push({ sequence: this.sequence, at, ...deed });
    return this.sequence++;
  }

  /** What the key of a token has led to, in whichever slot. */
  recall(token: Token | null): Kept | undefined {
    return token ? this.slots.map((slot) => slot.get(token.scope)).find(Boolean) : undefined;
  }

  /** Keeps in the current slot what the key of a token has led to. */
  remember(token: Token | null, led: Led): void {
    if (token) this.slots[this.ring.slot - 1]!.set(token.scope, { content: token.content, ...led });
  }
}

/** A token as it is written: its parts side by side. */
export const writeToken = (token: Token | null): string | null => token && token.scope + token.content;
