import { levelField, poolOf, REGULAR_POOL } from '../domain/pool.ts';
import type { Entry } from '../journal/entry.ts';
import type { EventChange } from '../journal/event-change.ts';
import type { Settlement } from '../journal/settlement-entry.ts';

/**
 * What an entry does to MariaDB's levels: units by level field, in the order in which the entry names them. The same as the
 * writer's fold of it does (a test compares them).
 */
export function levelChangesOf(entry: Entry): ReadonlyMap<string, number> {
  const changes = new Map<string, number>();
  const add = (sku: string, pool: string, units: number) => {
    const field = levelField({ sku, pool });
    changes.set(field, (changes.get(field) ?? 0) + units);
  };
  switch (entry.kind) {
    case 'orders':
      for (const { order } of entry.orders)
        for (const { sku, eventId, quantity } of order.items) add(sku, poolOf(eventId), -quantity);
      break;
    case 'settlements':
      for (const settlement of entry.settlements) addSettlement(settlement, add);
      break;
    case 'products':
      for (const { sku, stock } of entry.products) if (stock !== null) add(sku, REGULAR_POOL, stock);
      break;
    case 'adjustments':
      for (const { sku, delta } of entry.adjustments) add(sku, REGULAR_POOL, delta);
      break;
    case 'events':
      addMoves(entry.change, add);
      break;
    case 'compensations':
      for (const { sku, pool, levelDelta } of entry.compensations) add(sku, pool, levelDelta);
      break;
    case 'wishlists':
    case 'recovery':
      break;
  }
  return changes;
}

/** Whether an entry may be something to tell the world of: it says what became of an order, or moves a level. */
export function isOutward(entry: Entry): boolean {
  if (entry.kind === 'orders') return true;
  if (entry.kind === 'settlements') return entry.settlements.length > 0;
  for (const units of levelChangesOf(entry).values()) if (units !== 0) return true;
  return false;
}

type Add = (sku: string, pool: string, units: number) => void;

function addSettlement({ units, strays }: Settlement, add: Add): void {
  for (const { sku, pool, quantity } of units) add(sku, pool, quantity);
  for (const { sku, quantity } of strays) add(sku, REGULAR_POOL, quantity);
}

function addMoves({ event, action, moves }: EventChange, add: Add): void {
  if (action === 'record') return;
  for (const { sku, units } of moves) {
    add(sku, event.id, units);
    add(sku, REGULAR_POOL, -units);
  }
}
