import { packMessage } from '../../engine/redis/message-pack.ts';
import type { AskedAdjustment, AskedProduct } from './model/catalogue.ts';
import type { AskedEvent } from './model/events.ts';
import type { AskedTrim } from './model/journal.ts';
import type { AskedOrder } from './model/orders.ts';
import type { AskedSettlement } from './model/settlements.ts';
import { type Line, levelField, writeToken } from './model/state.ts';

/** One call of a script, ready to be made. `at` is the clock that it is given, ms since 1970; an entry is its sequence. */
export type Call = { readonly at: number } & (
  | { readonly script: 'place-orders'; readonly orders: readonly AskedOrder[]; readonly holdMs: number }
  | { readonly script: 'put-products'; readonly products: readonly AskedProduct[] }
  | { readonly script: 'change-wishlists'; readonly changes: readonly (Line & { user: string })[] }
  | { readonly script: 'adjust-stock'; readonly adjustments: readonly AskedAdjustment[] }
  | { readonly script: 'settle-orders'; readonly settlements: readonly AskedSettlement[] }
  | { readonly script: 'expire-holds' }
  | (AskedEvent & { readonly script: 'change-event' })
  | { readonly script: 'sweep-counts' }
  | (AskedTrim & { readonly script: 'trim-journal' })
  | { readonly script: 'rotate-idempotency'; readonly widthMs: number }
  | {
      readonly script: 'pin-journal';
      readonly reader: string;
      readonly sequence: number;
      readonly untilMs: number;
    }
);

/** The scripts that write journal entries. */
export type WritingScript = Exclude<Call['script'], AsideScript>;

/** What writes no entry; `sweep-counts` is no script, but what an api does of itself. */
type AsideScript = 'trim-journal' | 'rotate-idempotency' | 'pin-journal' | 'sweep-counts';

const ACTIONS = { confirm: 1, cancel: 2 } as const;
/** What `lua/change-event.lua` calls them. */
export const EVENT_ACTIONS = ['record', 'open', 'close', 'adjust'] as const;

/** A call that writes an entry. */
export type WritingCall = Extract<Call, { script: WritingScript }>;

/** The packed argument of a call, number `sequence` of its lane. Packed here by hand, without the callers' codecs: these never let a malformed line through. */
export function argumentOf(call: WritingCall, sequence: number): Buffer {
  return packMessage([1, 1, call.at, sequence, ...payloadOf(call)]);
}

function payloadOf(call: WritingCall): unknown[] {
  switch (call.script) {
    case 'place-orders':
      return payloadOfOrders(call.orders, call.holdMs);
    case 'put-products':
      return [call.products.flatMap(({ sku, price, stock, details }) => [sku, price, stock, details])];
    case 'change-wishlists':
      return [call.changes.flatMap(({ user, sku, quantity }) => [user, sku, quantity])];
    case 'adjust-stock':
      return [call.adjustments.flatMap(payloadOfAdjustment)];
    case 'settle-orders':
      return [call.settlements.map(payloadOfSettlement)];
    case 'expire-holds':
      return [0];
    case 'change-event':
      return payloadOfEvent(call);
  }
}

function payloadOfAdjustment({ sku, delta, reason, token }: AskedAdjustment): unknown[] {
  return [sku, delta, reason, writeToken(token) ?? ''];
}

function payloadOfSettlement(asked: AskedSettlement): unknown[] {
  const { place, action, status, lines, asOf, user, token, reason } = asked;
  const units = lines.flatMap(({ sku, eventId, quantity }) => [levelField(sku, eventId), quantity]);
  return [place, ACTIONS[action], status, units, 1, asOf, user, writeToken(token) ?? '', reason];
}

function payloadOfEvent(asked: AskedEvent): unknown[] {
  const { revision, event, record, action, holdMs, startsAt, endsAt, deltas, token } = asked;
  const items = asked.items.flatMap(({ sku, stock, price, limit }) => [sku, stock, price, limit]);
  const number = EVENT_ACTIONS.indexOf(action);
  const times = [holdMs, startsAt, endsAt];
  return [revision, event, record, number, items, ...times, writeToken(token) ?? '', [], deltas, ''];
}

/** The skus of a call of place-orders, each once, in the order in which its positions count. */
export function skusOf(orders: readonly AskedOrder[]): string[] {
  return [...new Set(orders.flatMap(({ lines }) => lines ?? []).map(({ sku }) => sku))];
}

function payloadOfOrders(orders: readonly AskedOrder[], holdMs: number): unknown[] {
  const named = skusOf(orders);
  const flat = orders.flatMap(({ lines }) => [
    lines?.length ?? 0,
    ...(lines ?? []).flatMap(({ sku, quantity }) => [named.indexOf(sku) + 1, quantity]),
  ]);
  const tokens = orders.flatMap(({ token }, at) => (token ? [at + 1, writeToken(token)] : []));
  const totals = orders.flatMap(({ expectedTotal }, at) =>
    expectedTotal === null ? [] : [at + 1, expectedTotal],
  );
  return [named, orders.map(({ user }) => user), flat, tokens, holdMs, totals];
}
