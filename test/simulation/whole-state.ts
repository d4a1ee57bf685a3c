import { formatPlace, parseOrderId } from '../../engine/domain/order-id.ts';
import { eventOf } from '../../engine/domain/pool.ts';
import { packEvent } from '../../engine/domain/sale-event.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { LevelUnits } from '../../engine/journal/settlement-entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { unpackMessage } from '../../engine/redis/message-pack.ts';
import { unpackWishlist } from '../../engine/redis/stock-reader.ts';
import type { Kept, ModelEntry, ModelState, Offer } from './model/state.ts';
import { EVENT_ACTIONS } from './script-arguments.ts';

const ALL = 1_000_000;

/** Everything that the scripts can change in Redis, in a form that can be compared. */
export interface WholeState {
  readonly levels: [string, number][];
  readonly prices: [string, number][];
  readonly details: [string, string][];
  readonly wishlists: [string, unknown][];
  readonly holds: [string, number][];
  readonly held: [string, unknown][];
  readonly offers: [string, Offer][];
  /** Opening, SKU and user -> units. */
  readonly counts: [string, number][];
  readonly events: [string, string][];
  readonly revision: number;
  /** Place -> status and entry. */
  readonly marks: [string, string][];
  readonly forgotten: string;
  readonly ring: string | null;
  /** Slot by slot: scope -> content, and what it led to. */
  readonly records: [string, string][][];
  readonly pins: [string, string][];
  readonly entries: readonly ModelEntry[];
}

const [RING, ...SLOTS] = IDEMPOTENCY_KEYS as [string, ...string[]];
/** Hashes of text. */
const TEXTS = [
  ...[KEYS.levels, KEYS.prices, KEYS.catalogue, KEYS.settled, KEYS.pins, KEYS.counts, KEYS.events],
  ...SLOTS,
];

/** Reads it; nobody else may write meanwhile. */
export async function readWholeState(redis: RedisClient): Promise<WholeState> {
  const [texts, wishlists, held, offers, holds, scalars, entries] = await Promise.all([
    Promise.all(TEXTS.map((key) => redis.hgetall(key))),
    redis.hgetallBuffer(KEYS.wishlists),
    redis.hgetallBuffer(KEYS.held),
    redis.hgetallBuffer(KEYS.offers),
    redis.zrange(KEYS.holds, 0, -1, 'WITHSCORES'),
    redis.mget(KEYS.forgotten, RING, KEYS.revision),
    readEntriesAfter(redis, { epoch: 0, sequence: 0 }, { count: ALL }),
  ]);
  const [levels, prices, details, marks, pins, counts, events, ...slots] = texts.map(sorted);
  const numbers = (pairs: [string, string][]) =>
    pairs.map(([name, text]): [string, number] => [name, Number(text)]);
  const unpacked = (hash: Record<string, Buffer>) =>
    sorted(hash).map(([name, packed]): [string, unknown] => [name, unpackWishlist(packed)]);
  return {
    levels: numbers(levels!),
    prices: numbers(prices!),
    details: details!,
    wishlists: unpacked(wishlists),
    held: sorted(held).map(([place, packed]): [string, unknown] => [place, unpackHeld(packed)]),
    offers: sorted(offers).map(([sku, packed]): [string, Offer] => [sku, unpackOffer(packed)]),
    counts: numbers(counts!),
    events: events!,
    revision: Number(scalars[2]),
    holds: numbers(sorted(Object.fromEntries(pairsOf(holds)))),
    marks: marks!,
    forgotten: scalars[0] ?? '0-0',
    ring: scalars[1] ?? null,
    records: slots,
    pins: pins!,
    entries: entries.map(toModelEntry),
  };
}

/** The same of a model; its epoch is 1. */
export function stateOfModel(state: ModelState): WholeState {
  const { ring, forgotten } = state;
  return {
    levels: sortedMap(state.levels),
    prices: sortedMap(state.prices),
    details: sortedMap(state.details),
    wishlists: sortedMap(state.wishlists),
    held: sortedMap(state.held),
    offers: sortedMap(state.offers),
    counts: sortedMap(state.counts),
    events: sortedMap(state.events),
    revision: state.revision,
    holds: sortedMap(state.holds),
    marks: sortedMap(state.marks).map(([place, mark]) => [place, `${mark.status} 1-${mark.sequence}`]),
    forgotten: forgotten === -1 ? '0-0' : `1-${forgotten}`,
    ring: ring.since === null ? null : `${ring.slot} ${ring.since}`,
    records: state.slots.map((slot) => sortedMap(slot).map(([scope, kept]) => [scope, writeKept(kept)])),
    pins: sortedMap(state.pins).map(([reader, pin]) => [reader, `1-${pin.sequence} ${pin.untilMs}`]),
    entries: state.entries,
  };
}

/** Of a hold: the lines that go back if it is not paid, and whose counts go down. */
function unpackHeld(packed: Buffer) {
  const [user, units] = unpackMessage(packed) as [string, (string | number)[]];
  const lines = Array.from({ length: units.length / 2 }, (_, at) => {
    const [sku, eventId = null] = String(units[2 * at]).split('\0');
    return { sku, quantity: units[2 * at + 1], eventId };
  });
  return { user, lines };
}

function unpackOffer(packed: Buffer): Offer {
  const fields = unpackMessage(packed) as [string, ...number[]];
  const [event, price, limit, holdMs, startsAt, endsAt, epoch, opened] = fields as [string, ...Seven];
  if (epoch !== 1) throw new Error(`an offer is of epoch ${epoch}`);
  return { event, price, limit, holdMs, startsAt, endsAt, opened };
}

type Seven = [number, number, number, number, number, number, number];

function writeKept(kept: Kept): string {
  if ('place' in kept) return kept.content + kept.place;
  if ('available' in kept) return `${kept.content}=${kept.available}`;
  if ('status' in kept) return kept.content + kept.status;
  const { event, action, moves, record } = kept.changed;
  const moved = moves.map(({ units }) => units).join(',');
  return `${kept.content}!${event}|${EVENT_ACTIONS.indexOf(action)}|${moved}|${record}`;
}

function toModelEntry(entry: Entry): ModelEntry {
  const head = { sequence: entry.position.sequence, at: entry.at };
  switch (entry.kind) {
    case 'events': {
      const { event, action, moves, token } = entry.change;
      return { ...head, kind: 'events', event: event.id, record: packEvent(event), action, moves, token };
    }
    case 'orders':
      return { ...head, kind: 'orders', orders: entry.orders.map(toEntryOrder) };
    case 'settlements':
      return {
        ...head,
        kind: 'settlements',
        settlements: entry.settlements.map(({ orderId, status, units, strays, countedFor, reason }) => ({
          ...{ place: placeOf(orderId), status, countedFor, reason },
          ...{ lines: units.map(toPooledLine), strays: strays.map(toPooledLine) },
        })),
        keyed: entry.keyed,
      };
    case 'products':
      return { ...head, kind: 'products', products: entry.products };
    case 'wishlists':
      return { ...head, kind: 'wishlists', changes: entry.changes };
    case 'adjustments':
      return { ...head, kind: 'adjustments', adjustments: entry.adjustments };
    case 'recovery':
      throw new Error('no script of the simulation writes the entry of a recovery');
    case 'compensations':
      throw new Error('nothing that the model does is ever compensated');
  }
}

const toPooledLine = ({ sku, pool, quantity }: LevelUnits) => ({ sku, quantity, eventId: eventOf(pool) });

function toEntryOrder({
  userId,
  order,
  fromWishlist,
  token,
}: Extract<Entry, { kind: 'orders' }>['orders'][number]) {
  const { id, status, items, total, expiresAt } = order;
  const ends = expiresAt === null ? null : Date.parse(expiresAt);
  return {
    ...{ place: placeOf(id), user: userId, lines: items, total, status },
    ...{ expiresAt: ends, fromWishlist, token },
  };
}

const placeOf = (orderId: string) => formatPlace(parseOrderId(orderId)!);

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]);
}

const sortedMap = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

const sorted = <Value>(hash: Readonly<Record<string, Value>>): [string, Value][] =>
  sortedMap(new Map(Object.entries(hash)));
