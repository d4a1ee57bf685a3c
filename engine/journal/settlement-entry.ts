import type { OrderStatus } from '../domain/order.ts';
import { formatOrderId, parsePlace } from '../domain/order-id.ts';
import { type PoolOfSku, parseLevelField } from '../domain/pool.ts';
import { isTokenOrNothing, must } from './damage.ts';

/** Units of one level. */
export interface LevelUnits extends PoolOfSku {
  readonly quantity: number;
}

/** An order that was confirmed, cancelled or expired. */
export interface Settlement {
  readonly orderId: string;
  readonly status: OrderStatus;
  /** What went back to the level that it was taken from; none if the order was confirmed. */
  readonly units: readonly LevelUnits[];
  /** What was taken from the pool of an event that is closed by now, and went to `regular`. */
  readonly strays: readonly LevelUnits[];
  /** Whose count of limited units went down by those of `units` that are an event's; null = nobody's. */
  readonly countedFor: string | null;
  /** Why it was cancelled, where somebody said; else null. */
  readonly reason: string | null;
}

/** What the idempotency key of a confirmation or cancellation led to. */
export interface KeyedSettlement {
  readonly token: string;
  readonly status: OrderStatus;
}

/** Entries that were written before settlements carried keys or reasons, or before there were sale events, are shorter. */
export type PackedSettlements = [settlements: PackedSettlement[], keyed?: string[]];
type PackedUnits = (string | number)[];
type PackedSettlement = [
  place: string,
  status: OrderStatus,
  units: PackedUnits,
  strays?: PackedUnits,
  countedFor?: string,
  reason?: string,
];

const STATUSES: readonly unknown[] = ['placed', 'cancelled', 'expired'];

function readSettlements(packed: PackedSettlement[], where: string): Settlement[] {
  must(
    Array.isArray(packed) && packed.every(Array.isArray),
    where,
    'its settlements are not an array of arrays',
  );
  return packed.map(([place, status, units, strays = [], countedFor = '', reason = '']) => {
    must(
      typeof place === 'string' && /^\d+-\d+-\d+$/.test(place),
      where,
      `"${place}" is no place of an order`,
    );
    must(STATUSES.includes(status), where, `its order ${place} has the status ${String(status)}`);
    must(typeof countedFor === 'string', where, `its order ${place} is counted for nobody by name`);
    must(typeof reason === 'string', where, `the reason for its order ${place} is no text`);
    return {
      orderId: formatOrderId(parsePlace(place)),
      status,
      units: status === 'placed' ? [] : readUnits(units, where, place),
      strays: readUnits(strays, where, place),
      countedFor: countedFor || null,
      reason: reason || null,
    };
  });
}

/** Reads what became of orders, and what their keys led to. Throws `DamagedEntry`. */
export function readSettlementsAndKeys([settlements, keyed = []]: PackedSettlements, where: string) {
  return { settlements: readSettlements(settlements, where), keyed: readKeyed(keyed, where) };
}

function readKeyed(flat: string[], where: string): KeyedSettlement[] {
  must(Array.isArray(flat) && flat.length % 2 === 0, where, 'what its keys led to are no pairs');
  return Array.from({ length: flat.length / 2 }, (_, at) => {
    const [token, status] = [flat[2 * at]!, flat[2 * at + 1]!];
    must(token !== '' && isTokenOrNothing(token), where, 'the idempotency token of a settlement is none');
    must(STATUSES.includes(status), where, `an idempotency key led to the status ${status}`);
    return { token, status: status as OrderStatus };
  });
}

function readUnits(flat: PackedUnits, where: string, place: string): LevelUnits[] {
  must(Array.isArray(flat) && flat.length % 2 === 0, where, `the units of its order ${place} are no pairs`);
  return Array.from({ length: flat.length / 2 }, (_, at) => {
    const [field, quantity] = [flat[2 * at], flat[2 * at + 1]];
    must(typeof field === 'string', where, `some units of its order ${place} are of no level`);
    must(isQuantity(quantity), where, `its order ${place} has a quantity out of range`);
    return { ...parseLevelField(field as string), quantity: quantity as number };
  });
}

function isQuantity(units: unknown): boolean {
  return Number.isSafeInteger(units) && (units as number) > 0;
}
