import type { Adjustment } from '../domain/adjustment.ts';
import { InternalFault } from '../domain/fault.ts';
import { type PoolOfSku, parseLevelField } from '../domain/pool.ts';
import { formatPosition, type Position, parsePosition } from '../domain/position.ts';
import { type ProductDetails, unpackDetails } from '../domain/product.ts';
import type { WishlistChange } from '../domain/wishlist.ts';
import { DamagedEntry, isTokenOrNothing, must } from './damage.ts';
import { type EventChange, type PackedEvent, readEventChange } from './event-change.ts';
import { type JournalOrder, type PackedOrders, readOrders } from './order-entry.ts';
import {
  type KeyedSettlement,
  type PackedSettlements,
  readSettlementsAndKeys,
  type Settlement,
} from './settlement-entry.ts';

/** The version of the journal's format that this program writes and reads. */
export const JOURNAL_FORMAT = 1;

/** An entry as it stands in the journal: `content` is MessagePack, not read yet. */
export interface StoredEntry {
  readonly position: Position;
  readonly content: Buffer;
}

/** An entry of a format or a kind that this program does not know: it is sound, and this program too old. */
export class UnknownFormat extends InternalFault {
  override readonly name = 'UnknownFormat';
}

/** A product that was created (`stock` = its first units) or changed (`stock` null). */
export interface JournalProduct {
  readonly sku: string;
  readonly price: number;
  readonly stock: number | null;
  readonly details: ProductDetails;
}

/** Redis was rebuilt, and a new epoch begun. */
export interface RecoveryFacts {
  /** Why, for people. */
  readonly cause: string;
  /** Where the journal of older epochs ends: MariaDB has all up to here, and nobody any more. */
  readonly committed: Position;
}

/** An adjustment that was made: `available` in units right after it; `token` of its idempotency key, or null. */
export interface JournalAdjustment extends Adjustment {
  readonly available: number;
  readonly token: string | null;
}

/**
 * What reconciliation found three sides to disagree about, and what each was given so that they agree: Redis's level,
 * MariaDB's level, and MariaDB's movements. In units, signed.
 */
export interface Compensation extends PoolOfSku {
  readonly redisDelta: number;
  readonly levelDelta: number;
  readonly movementDelta: number;
  readonly reason: string;
}

/** One entry of the journal, read: `at` is the engine's clock when it was decided, ms since 1970. */
export type Entry = { readonly position: Position; readonly at: number } & (
  | { readonly kind: 'orders'; readonly orders: readonly JournalOrder[] }
  | { readonly kind: 'products'; readonly products: readonly JournalProduct[] }
  | { readonly kind: 'wishlists'; readonly changes: readonly WishlistChange[] }
  | {
      readonly kind: 'settlements';
      readonly settlements: readonly Settlement[];
      readonly keyed: readonly KeyedSettlement[];
    }
  | { readonly kind: 'adjustments'; readonly adjustments: readonly JournalAdjustment[] }
  | { readonly kind: 'events'; readonly change: EventChange }
  | { readonly kind: 'recovery'; readonly recovery: RecoveryFacts }
  | { readonly kind: 'compensations'; readonly compensations: readonly Compensation[] }
);

/** An entry that was read, with the bytes that it was read from. */
export type DecodedEntry = Entry & Pick<StoredEntry, 'content'>;

/**
 * Reads an unpacked entry as the scripts wrote it (docs/DATA.md, "The journal"). Throws `UnknownFormat` or
 * `DamagedEntry`, naming the entry: it is never skipped and never guessed at.
 */
export function readEntry(position: Position, content: unknown): Entry {
  const where = `journal entry ${formatPosition(position)}`;
  if (!Array.isArray(content)) throw new DamagedEntry(`${where} is not an array`);
  const [format, kind, at, ...rest] = content as unknown[];
  if (format !== JOURNAL_FORMAT) {
    throw new UnknownFormat(
      `${where} has format ${String(format)}, this program reads ${JOURNAL_FORMAT}: upgrade it`,
    );
  }
  must(Number.isSafeInteger(at), where, 'its clock is not a whole number');
  const head = { position, at: at as number };
  switch (kind) {
    case 'orders':
      return { ...head, kind, orders: readOrders(head, rest as PackedOrders, where) };
    case 'products':
      return { ...head, kind, products: readProducts(rest[0] as PackedProduct[], where) };
    case 'wishlists':
      return { ...head, kind, changes: readChanges(rest[0] as PackedChange[], where) };
    case 'settlements':
      return { ...head, kind, ...readSettlementsAndKeys(rest as PackedSettlements, where) };
    case 'adjustments':
      return { ...head, kind, adjustments: readAdjustments(rest[0] as PackedAdjustment[], where) };
    case 'events':
      return { ...head, kind, change: readEventChange(rest as PackedEvent, where) };
    case 'recovery':
      return { ...head, kind, recovery: readRecovery(rest as PackedRecovery, where) };
    case 'compensations':
      return { ...head, kind, compensations: readCompensations(rest[0] as PackedCompensation[], where) };
    default:
      throw new UnknownFormat(`${where} is of the unknown kind ${String(kind)}: upgrade this program`);
  }
}

type PackedRecovery = [cause: string, committed: string];
type PackedProduct = [sku: string, price: number, stock: number, details: string];
type PackedChange = [user: string, sku: string, quantity: number];
type PackedCompensation = [field: string, redis: number, level: number, movement: number, reason: string];
type PackedAdjustment = [sku: string, delta: number, reason: string, available: number, token: string];

function readProducts(packed: PackedProduct[], where: string): JournalProduct[] {
  must(Array.isArray(packed) && packed.every(Array.isArray), where, 'its products are no arrays');
  return packed.map(([sku, price, stock, details]) => {
    must(typeof sku === 'string', where, 'a product has no sku');
    must(Number.isSafeInteger(price) && price >= 0, where, `the price of "${sku}" is out of range`);
    must(Number.isSafeInteger(stock) && stock >= -1, where, `the stock of "${sku}" is out of range`);
    return { sku, price, stock: stock === -1 ? null : stock, details: readDetails(details, where) };
  });
}

function readDetails(packed: string, where: string): ProductDetails {
  try {
    return unpackDetails(packed);
  } catch {
    throw new DamagedEntry(`${where} is damaged: the details of a product are no JSON`);
  }
}

function readChanges(packed: PackedChange[], where: string): WishlistChange[] {
  must(Array.isArray(packed) && packed.every(Array.isArray), where, 'its changes are no arrays');
  return packed.map(([user, sku, quantity]) => {
    must(typeof user === 'string' && typeof sku === 'string', where, 'a change has no user or no sku');
    must(Number.isSafeInteger(quantity) && quantity >= 0, where, `the quantity of "${sku}" is out of range`);
    return { user, sku, quantity };
  });
}

function readAdjustments(packed: PackedAdjustment[], where: string): JournalAdjustment[] {
  must(Array.isArray(packed) && packed.every(Array.isArray), where, 'its adjustments are no arrays');
  return packed.map(([sku, delta, reason, available, token]) => {
    must(typeof sku === 'string', where, 'an adjustment has no sku');
    must(Number.isSafeInteger(delta) && delta !== 0, where, `the adjustment of "${sku}" is out of range`);
    must(typeof reason === 'string' && reason !== '', where, `the adjustment of "${sku}" has no reason`);
    must(
      Number.isSafeInteger(available) && available >= Math.max(0, delta),
      where,
      `what is left of "${sku}" is out of range`,
    );
    must(isTokenOrNothing(token), where, `the idempotency token for "${sku}" is none`);
    return { sku, delta, reason, available, token: token || null };
  });
}

function readCompensations(packed: PackedCompensation[], where: string): Compensation[] {
  must(Array.isArray(packed) && packed.every(Array.isArray), where, 'its compensations are no arrays');
  return packed.map(([field, redisDelta, levelDelta, movementDelta, reason]) => {
    must(typeof field === 'string', where, 'a compensation is of no level');
    const deltas = [redisDelta, levelDelta, movementDelta];
    must(deltas.every(Number.isSafeInteger), where, `the compensation of "${field}" is out of range`);
    must(typeof reason === 'string' && reason !== '', where, `the compensation of "${field}" has no reason`);
    return { ...parseLevelField(field), redisDelta, levelDelta, movementDelta, reason };
  });
}

/** The entry of a recovery, to be packed: the one kind that no script makes up. `at` in ms since 1970. */
export function packRecovery(at: number, { cause, committed }: RecoveryFacts): unknown[] {
  return [JOURNAL_FORMAT, 'recovery', at, cause, formatPosition(committed)];
}

function readRecovery([cause, committed]: PackedRecovery, where: string): RecoveryFacts {
  must(
    typeof cause === 'string' && /^\d+-\d+$/.test(committed),
    where,
    'its recovery has no cause or no place',
  );
  return { cause, committed: parsePosition(committed) };
}
