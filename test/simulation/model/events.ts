import { type ChangedEvent, levelField, type ModelState, type Token, writeToken } from './state.ts';

/** What an event offers of a SKU: `limit` in units for each customer, 0 = none. */
export interface AskedItem {
  readonly sku: string;
  readonly stock: number;
  readonly price: number;
  readonly limit: number;
}

/** A change of an event as the scripts' door sees it. `revision`: as of which the caller decided. Times in ms since 1970. */
export interface AskedEvent {
  readonly revision: number;
  readonly event: string;
  /** JSON of the event as it will be. */
  readonly record: string;
  readonly action: ChangedEvent['action'];
  readonly items: readonly AskedItem[];
  readonly holdMs: number;
  readonly startsAt: number;
  readonly endsAt: number;
  /** Of an adjustment: units to move into the pool, by item. */
  readonly deltas: readonly number[];
  readonly token: Token | null;
}

export type EventTold =
  | { kind: 'changed'; moved: number[] }
  | { kind: 'replayed'; changed: ChangedEvent }
  | { kind: 'mismatch' }
  | { kind: 'conflict'; revision: number }
  | { kind: 'untimely'; at: number }
  | { kind: 'short'; items: { sku: string; requested: number; available: number }[] }
  | { kind: 'taken' | 'unknown_product' | 'corrupt'; skus: string[] };

/** Writes down what an event is now; opening moves its allotments into its pool, closing moves the unsold back, adjusting moves some. */
export function changeEvent(state: ModelState, asked: AskedEvent & { at: number }) {
  const obstacle = replay(state, asked) ?? findObstacle(state, asked);
  if (obstacle) return { sequence: -1, outcomes: [obstacle] };
  const { event, record, action, token } = asked;
  const moves = asked.items.map((item, at) => ({ sku: item.sku, units: move(state, asked, item, at) }));
  const changed: ChangedEvent = { event, record, action, moves };
  state.events.set(event, record);
  state.revision += 1;
  state.remember(token, { changed });
  const deed = { kind: 'events' as const, ...changed, token: writeToken(token) };
  const outcome: EventTold = { kind: 'changed', moved: moves.map(({ units }) => units) };
  return { sequence: state.append(asked.at, [changed], deed), outcomes: [outcome] };
}

function replay(state: ModelState, { token }: AskedEvent): EventTold | null {
  const kept = state.recall(token);
  if (!kept) return null;
  if (kept.content !== token!.content || !('changed' in kept)) return { kind: 'mismatch' };
  return { kind: 'replayed', changed: kept.changed };
}

/** What stands against it. Nothing is changed here. */
function findObstacle(state: ModelState, asked: AskedEvent & { at: number }): EventTold | null {
  const { revision, items, action, startsAt, endsAt, at } = asked;
  if (revision !== state.revision) return { kind: 'conflict', revision: state.revision };
  if (action === 'open' && (at < startsAt || at >= endsAt)) return { kind: 'untimely', at };
  const skus = items.map(({ sku }) => sku);
  const unknown = skus.filter((sku) => !state.prices.has(sku));
  if (unknown.length > 0) return { kind: 'unknown_product', skus: unknown };
  const taken = action === 'open' ? skus.filter((sku) => state.offers.has(sku)) : [];
  if (taken.length > 0) return { kind: 'taken', skus: taken };
  return action === 'adjust' ? findMissing(state, asked) : null;
}

/** Where an adjustment asks for what the event does not have open, or for more units than there are. */
function findMissing(state: ModelState, { event, items, deltas }: AskedEvent): EventTold | null {
  const foreign = items.filter(({ sku }) => state.offers.get(sku)?.event !== event);
  if (foreign.length > 0) return { kind: 'corrupt', skus: foreign.map(({ sku }) => sku) };
  const short = items.flatMap(({ sku }, at) => {
    const requested = deltas[at]!;
    const available = state.levels.get(requested > 0 ? sku : levelField(sku, event))!;
    return Math.abs(requested) > available ? [{ sku, requested, available }] : [];
  });
  return short.length > 0 ? { kind: 'short', items: short } : null;
}

/** Moves the units of one item; gives how many went into the pool. */
function move(state: ModelState, asked: AskedEvent, item: AskedItem, at: number): number {
  if (asked.action === 'adjust')
    return adjustItem(state, item.sku, { event: asked.event, delta: asked.deltas[at]! });
  if (asked.action === 'open') return openItem(state, asked, item);
  if (asked.action === 'close' && state.offers.get(item.sku)?.event === asked.event)
    return 0 - closeItem(state, item.sku, asked.event); // never -0, which is another thing to a test
  return 0;
}

function openItem(
  state: ModelState,
  { event, holdMs, startsAt, endsAt }: AskedEvent,
  { sku, stock, price, limit }: AskedItem,
): number {
  const regular = state.levels.get(sku)!;
  const units = Math.min(stock, regular);
  state.levels.set(sku, regular - units);
  state.levels.set(levelField(sku, event), units);
  state.offers.set(sku, { event, price, limit, holdMs, startsAt, endsAt, opened: state.sequence });
  return units;
}

function adjustItem(
  state: ModelState,
  sku: string,
  { event, delta }: { event: string; delta: number },
): number {
  const field = levelField(sku, event);
  state.levels.set(sku, state.levels.get(sku)! - delta);
  state.levels.set(field, state.levels.get(field)! + delta);
  return delta;
}

/** Takes the offer down and its pool away; gives the units that were left in it. */
function closeItem(state: ModelState, sku: string, event: string): number {
  const unsold = state.levels.get(levelField(sku, event))!;
  state.levels.set(sku, state.levels.get(sku)! + unsold);
  state.levels.delete(levelField(sku, event));
  state.offers.delete(sku);
  return unsold;
}

/** Removes the counts of openings that are over; gives how many. */
export function sweepCounts(state: ModelState): number {
  const open = new Set(Array.from(state.offers.values(), ({ opened }) => `1-${opened}`));
  const gone = [...state.counts.keys()].filter((field) => !open.has(field.split('\0')[0]!));
  for (const field of gone) state.counts.delete(field);
  return gone.length;
}
