import type { Generated } from 'kysely';
import type { EventStatus, OccurrenceStatus } from '../domain/sale-event.ts';

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
  sale_event_occurrences: SaleEventOccurrencesTable;
  outbox: OutboxTable;
  leases: LeasesTable;
  dead_letters: DeadLettersTable;
  recoveries: RecoveriesTable;
  processes: ProcessesTable;
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
  repeat_cron: string | null;
  repeat_timezone: string | null;
  repeat_minutes: number | null;
  occurrence: number;
}

interface SaleEventOccurrencesTable {
  event_id: string;
  occurrence: number;
  starts_at: Date;
  ends_at: Date;
  status: OccurrenceStatus;
  opened_at: Date | null;
  opened_entry: string | null;
  closed_at: Date | null;
  closed_entry: string | null;
  note: string | null;
}

interface OutboxTable {
  id: Generated<number>;
  epoch: number;
  sequence: number;
  content: Buffer;
  written_at: Date;
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
  reason: string | null;
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
  fence: number;
}

interface LeasesTable {
  name: string;
  holder: string;
  until: Date;
}

interface DeadLettersTable {
  epoch: number;
  sequence: number;
  kind: string | null;
  code: string | null;
  reason: string;
  content: Buffer;
  status: 'waiting' | 'replayed' | 'dropped';
  set_aside_at: Date;
  settled_at: Date | null;
  note: string | null;
}

interface RecoveriesTable {
  epoch: number;
  cause: string;
  redis_epoch: number;
  redis_sequence: number;
  checkpoint_epoch: number;
  checkpoint_sequence: number;
  acknowledged_epoch: number;
  acknowledged_sequence: number;
  started_at: Date;
  completed_at: Date | null;
}

interface ProcessesTable {
  id: string;
  kind: string;
  host: string;
  pid: number;
  version: string;
  url: string | null;
  started_at: Date;
  seen_at: Date;
  stopped_at: Date | null;
  acknowledged_epoch: number;
  acknowledged_sequence: number;
  report: string;
}
