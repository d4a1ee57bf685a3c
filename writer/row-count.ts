import type { Entry } from '../engine/journal/entry.ts';

/** About how many rows of MariaDB an entry touches: what bounds a transaction. Never less than one. */
export function countRows(entry: Entry): number {
  switch (entry.kind) {
    case 'orders':
      return entry.orders.reduce((rows, { order }) => rows + 1 + order.items.length, 0);
    case 'settlements':
      return entry.settlements.reduce(
        (rows, { units, strays }) => rows + 1 + units.length + strays.length,
        1,
      );
    case 'products':
      return 3 * entry.products.length;
    case 'events':
      return 1 + 5 * entry.change.moves.length;
    case 'adjustments':
      return 2 * entry.adjustments.length;
    default:
      return ROWS_OF_ANY_OTHER;
  }
}

const ROWS_OF_ANY_OTHER = 100;
