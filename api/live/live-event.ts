import { randomBytes } from 'node:crypto';
import type { EventStatus, SaleEvent } from '../../engine/domain/sale-event.ts';
import type { EventStock } from '../../engine/redis/event-stock-reader.ts';
import { type Message, writeMessage } from './message.ts';

const INSTANCE_BYTES = 6;
/** Clients are at no more versions than that, unless somebody makes Last-Event-IDs up. */
const MOST_WRITTEN = 64;
const MARK = /^([0-9a-f]{12})-(\d{1,15})$/;

interface LiveItem {
  readonly sku: string;
  readonly price: number;
  available: number;
  /** The version with which `available` came to be what it is. */
  changedAt: number;
}

/**
 * What clients are told of one sale event. Every change that is seen raises its version, and whoever was told of a version is
 * told only what changed since: the last value of it, however often it changed in between.
 *
 * - `snapshot`: `{id,status,startsAt,endsAt,items:[{sku,available,price}]}`, all there is
 * - `status`: `{status,startsAt,endsAt}`, when one of them changed
 * - `stock`: `{items:[{sku,available}]}`, the items of which another number of units is available
 *
 * The last message of each version has its mark as `id`: `<instance>-<version>`, the instance being this object.
 */
export class LiveEvent {
  readonly id: string;
  readonly #instance = randomBytes(INSTANCE_BYTES).toString('hex');
  #version = 0;
  #event: SaleEvent | null = null;
  #items: readonly LiveItem[] = [];
  /** Whoever was told of an older version only must be told everything. */
  #wholeAt = 0;
  #statusAt = 0;
  /** What was written for those who were told of one version: once for all of them, until the next change. */
  readonly #written = new Map<number, Buffer>();

  constructor(id: string) {
    this.id = id;
  }

  get version(): number {
    return this.#version;
  }

  /** Null before anything is known. */
  get status(): EventStatus | null {
    return this.#event?.status ?? null;
  }

  /** How many items it has. */
  get size(): number {
    return this.#items.length;
  }

  /** Whether nothing about it will ever change again. */
  get isFinal(): boolean {
    return this.status === 'closed' || this.status === 'cancelled';
  }

  /** Takes in what was read of it now; the version rises if that is anything else than before. */
  update({ event, available }: EventStock): void {
    const before = this.#event;
    this.#event = event;
    if (!before || (before !== event && !areAlike(before, event))) this.#begin({ event, available });
    else this.#note(isAnotherTime(before, event), available);
  }

  /** What was told may be wrong by now: raises the version to one with which everybody is told everything. */
  tellAll(): void {
    this.#raise();
    this.#wholeAt = this.#version;
  }

  /** The version that a Last-Event-ID stands for, or null: it is none, another's, or too old to build upon. */
  versionOf(mark: string): number | null {
    const [, instance, version] = MARK.exec(mark) ?? [];
    const known = Number(version);
    return instance === this.#instance && known <= this.#version && known >= this.#wholeAt ? known : null;
  }

  /** What somebody has to be told who was told of `version`, null = of nothing. */
  since(version: number | null): Buffer {
    const from = version === null || version < this.#wholeAt ? -1 : version;
    const kept = this.#written.get(from);
    if (kept) return kept;
    const written = this.#write(from);
    if (this.#written.size < MOST_WRITTEN) this.#written.set(from, written);
    return written;
  }

  #begin({ event, available }: EventStock): void {
    this.tellAll();
    this.#items = event.items.map(({ sku, price }, at) => ({
      sku,
      price,
      available: available[at]!,
      changedAt: this.#version,
    }));
  }

  #note(isAnotherTime: boolean, available: readonly number[]): void {
    const next = this.#version + 1;
    const isOtherStock = this.#items.some((item, at) => item.available !== available[at]);
    if (!isAnotherTime && !isOtherStock) return;
    if (isAnotherTime) this.#statusAt = next;
    this.#items.forEach((item, at) => {
      if (item.available !== available[at]) item.changedAt = next;
      item.available = available[at]!;
    });
    this.#raise();
  }

  #raise(): void {
    this.#version += 1;
    this.#written.clear();
  }

  #write(from: number): Buffer {
    const messages = from < 0 ? [this.#snapshot()] : this.#changes(from);
    const id = `${this.#instance}-${this.#version}`;
    const last = messages.length - 1;
    return Buffer.from(
      messages.map((message, at) => writeMessage(at === last ? { id, ...message } : message)).join(''),
    );
  }

  #snapshot(): Message {
    const items = this.#items.map(({ sku, available, price }) => ({ sku, available, price }));
    return { event: 'snapshot', data: { id: this.id, ...showTimes(this.#event!), items } };
  }

  #changes(from: number): Message[] {
    const items = this.#items.filter(({ changedAt }) => changedAt > from);
    const stock = { items: items.map(({ sku, available }) => ({ sku, available })) };
    return [
      ...(this.#statusAt > from ? [{ event: 'status', data: showTimes(this.#event!) }] : []),
      ...(items.length > 0 ? [{ event: 'stock', data: stock }] : []),
    ];
  }
}

function showTimes({ status, startsAt, endsAt }: SaleEvent) {
  return { status, startsAt: new Date(startsAt).toISOString(), endsAt: new Date(endsAt).toISOString() };
}

/** Whether the same products are offered at the same prices, so that a change can be told without telling all again. */
function areAlike({ items }: SaleEvent, other: SaleEvent): boolean {
  return (
    items.length === other.items.length &&
    items.every(({ sku, price }, at) => sku === other.items[at]!.sku && price === other.items[at]!.price)
  );
}

function isAnotherTime(one: SaleEvent, other: SaleEvent): boolean {
  return one.status !== other.status || one.startsAt !== other.startsAt || one.endsAt !== other.endsAt;
}
