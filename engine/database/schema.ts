import type { EventStatus } from '../domain/sale-event.ts';

/** The tables as kysely knows them; docs/DATA.md is their dictionary, `migrations/` makes them. */
export interface Schema {
  products: ProductsTable;
  stock_levels: StockLevelsTable;
  stock_movements: StockMovementsTable;
  orders: OrdersTable;
  order_items: OrderItemsTable;
  wishlist_items: WishlistItemsTable;
  journal_checkpoint: JournalCheckpointTable;
  idempotency_keys: IdempotencyKeysTable;
  sale_events: SaleEventsTable;
  sale_event_items: SaleEventItemsTable;
}

interface IdempotencyKeysTable {
  scope: string;
  content: string;
  outcome: string;
  used_at: Date;
}

interface SaleEventsTable {
  id: string;
  name: string;
  starts_at: Date;
  ends_at: Date;
  status: EventStatus;
  hold_seconds: number;
  opened_epoch: number | null;
  opened_sequence: number | null;
}

interface SaleEventItemsTable {
  event_id: string;
  line: number;
  sku: string;
  stock: number;
  price: number;
  limit_per_user: number | null;
}

interface ProductsTable {
  sku: string;
  name: string;
  price: number;
  producer: string | null;
  type: string | null;
  function: string | null;
  description: string | null;
}

interface StockLevelsTable {
  sku: string;
  pool: string;
  available: number;
}

interface StockMovementsTable {
  entry: string;
  line: number;
  sku: string;
  pool: string;
  delta: number;
  kind: string;
  reason: string | null;
  moved_at: Date;
}

interface OrdersTable {
  id: string;
  user_id: string;
  status: 'held' | 'placed' | 'cancelled' | 'expired';
  total: number;
  placed_at: Date;
  expires_at: Date | null;
}

interface OrderItemsTable {
  order_id: string;
  line: number;
  sku: string;
  pool: string;
  quantity: number;
  unit_price: number;
}

interface WishlistItemsTable {
  user_id: string;
  sku: string;
  quantity: number;
}

interface JournalCheckpointTable {
  id: number;
  epoch: number;
  sequence: number;
  applied_at: Date | null;
}
