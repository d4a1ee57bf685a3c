import {
  countField,
  type EntryOrder,
  isInForce,
  type Line,
  levelField,
  type ModelState,
  type Offer,
  type OrderedLine,
  type Token,
  writeToken,
} from './state.ts';

/** An order as the scripts' door sees it: anything may stand in a line. */
export interface AskedOrder {
  readonly user: string;
  /** null = the wishlist. */
  readonly lines: readonly { readonly sku: string; readonly quantity: unknown }[] | null;
  readonly token: Token | null;
  /** What it is to cost, minor units; null = whatever it costs. */
  readonly expectedTotal: number | null;
}

/** `holdMs`: how long it is held; 0 = it is placed at once. */
export type OrderTold =
  | { kind: 'accepted'; place: string; lines: OrderedLine[]; holdMs: number }
  | { kind: 'replayed'; place: string }
  | { kind: 'invalid' | 'empty_wishlist' | 'too_large' | 'mismatch' }
  | { kind: 'unknown_product'; skus: string[] }
  | { kind: 'price_changed'; total: number }
  | { kind: 'limited'; excesses: { sku: string; limit: number; already: number; requested: number }[] }
  | { kind: 'out_of_stock'; shortages: { sku: string; requested: number; available: number }[] };

const MAX_QUANTITY = 1_000_000;

/** Places orders one after the other; gives what each is told, and the sequence of their entry. */
export function placeOrders(state: ModelState, call: OrdersCall) {
  const accepted: EntryOrder[] = [];
  const outcomes = call.orders.map((order) => {
    const place = `1-${state.sequence}-${accepted.length}`;
    const outcome = replay(state, order) ?? decide(new Shop(state, call), order, place);
    if (outcome.kind === 'accepted') accepted.push(accept(state, order, { at: call.at, ...outcome }));
    return outcome;
  });
  return { sequence: state.append(call.at, accepted, { kind: 'orders', orders: accepted }), outcomes };
}

function replay(state: ModelState, { token }: AskedOrder): OrderTold | null {
  const kept = state.recall(token);
  if (!kept) return null;
  if (kept.content !== token!.content || !('place' in kept)) return { kind: 'mismatch' };
  return { kind: 'replayed', place: kept.place };
}

/** Which obstacle comes first is part of the contract. Nothing is changed here. */
function decide(shop: Shop, { user, lines: asked, expectedTotal }: AskedOrder, place: string): OrderTold {
  const { state } = shop;
  const wanted = asked ?? state.wishlists.get(user) ?? [];
  if (wanted.length === 0) return { kind: 'empty_wishlist' };
  if (!areSound(wanted)) return { kind: 'invalid' };
  const unknown = wanted.filter(({ sku }) => !state.prices.has(sku)).map(({ sku }) => sku);
  if (unknown.length > 0) return { kind: 'unknown_product', skus: unknown };
  const lines = wanted.map((line) => shop.price(line));
  const total = totalOf(lines);
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) return { kind: 'too_large' };
  if (expectedTotal !== null && BigInt(expectedTotal) !== total)
    return { kind: 'price_changed', total: Number(total) };
  const excesses = lines.flatMap((line) => shop.excess(line, user));
  if (excesses.length > 0) return { kind: 'limited', excesses };
  const shortages = lines
    .map((line) => ({ sku: line.sku, requested: line.quantity, available: levelOf(state, line) }))
    .filter(({ requested, available }) => available < requested);
  if (shortages.length > 0) return { kind: 'out_of_stock', shortages };
  return { kind: 'accepted', place, lines, holdMs: shop.holdOf(lines) };
}

interface OrdersCall {
  readonly orders: readonly AskedOrder[];
  /** Of lines from the regular pool. */
  readonly holdMs: number;
  readonly at: number;
}

/** What is on offer when a call is decided. */
class Shop {
  readonly state: ModelState;
  readonly #call: OrdersCall;

  constructor(state: ModelState, call: OrdersCall) {
    this.state = state;
    this.#call = call;
  }

  /** A line with its price and the pool that it draws from. */
  price({ sku, quantity }: Line): OrderedLine {
    const offer = this.#offerOf(sku);
    const unitPrice = offer ? offer.price : this.state.prices.get(sku)!;
    return { sku, quantity, unitPrice, eventId: offer ? offer.event : null };
  }

  /** By how much the line passes the limit of its event, if it does. */
  excess({ sku, quantity: requested }: Line, user: string) {
    const offer = this.#offerOf(sku);
    if (!offer || offer.limit === 0) return [];
    const { limit } = offer;
    const already = this.state.counts.get(countField(offer.opened, sku, user)) ?? 0;
    return already + requested > limit ? [{ sku, limit, already, requested }] : [];
  }

  /** The shortest of the holds that lines have. */
  holdOf(lines: readonly Line[]): number {
    const holds = lines.map(({ sku }) => this.#offerOf(sku)?.holdMs ?? this.#call.holdMs);
    const some = holds.filter((ms) => ms > 0);
    return some.length > 0 ? Math.min(...some) : 0;
  }

  #offerOf(sku: string): Offer | null {
    const offer = this.state.offers.get(sku);
    return offer && isInForce(offer, this.#call.at) ? offer : null;
  }
}

const totalOf = (lines: readonly OrderedLine[]): bigint =>
  lines.reduce((sum, { quantity, unitPrice }) => sum + BigInt(quantity) * BigInt(unitPrice), 0n);

const levelOf = (state: ModelState, { sku, eventId }: OrderedLine): number =>
  state.levels.get(levelField(sku, eventId))!;

interface Acceptance {
  readonly place: string;
  readonly lines: readonly OrderedLine[];
  readonly holdMs: number;
  readonly at: number;
}

/** Takes the units, and all that goes with it. */
function accept(
  state: ModelState,
  { user, lines: asked, token }: AskedOrder,
  { place, lines, holdMs, at }: Acceptance,
): EntryOrder {
  for (const line of lines) take(state, line);
  const isCounted = lines.map((line) => countLine(state, line, user)).includes(true);
  if (asked === null) state.wishlists.delete(user);
  state.remember(token, { place });
  const status = holdMs > 0 ? 'held' : 'placed';
  state.orders.set(place, { status, user, lines, decided: state.sequence });
  if (status === 'held') {
    state.holds.set(place, at + holdMs);
    const pooled = lines.map(({ sku, quantity, eventId }) => ({ sku, quantity, eventId }));
    state.held.set(place, { user: isCounted ? user : '', lines: pooled });
  }
  return {
    place,
    user,
    lines,
    total: Number(totalOf(lines)),
    status,
    expiresAt: status === 'held' ? at + holdMs : null,
    fromWishlist: asked === null,
    token: writeToken(token),
  };
}

function take(state: ModelState, line: OrderedLine): void {
  state.levels.set(levelField(line.sku, line.eventId), levelOf(state, line) - line.quantity);
}

/** Says whether the line is of something that is limited. */
function countLine(state: ModelState, { sku, quantity, eventId }: OrderedLine, user: string): boolean {
  const offer = eventId === null ? undefined : state.offers.get(sku);
  if (!offer || offer.limit === 0) return false;
  const field = countField(offer.opened, sku, user);
  state.counts.set(field, (state.counts.get(field) ?? 0) + quantity);
  return true;
}

function areSound(lines: readonly { sku: string; quantity: unknown }[]): lines is Line[] {
  const distinct = new Set(lines.map(({ sku }) => sku)).size === lines.length;
  const inRange = (quantity: unknown) =>
    Number.isInteger(quantity) && 1 <= Number(quantity) && Number(quantity) <= MAX_QUANTITY;
  return distinct && lines.every(({ quantity }) => inRange(quantity));
}
