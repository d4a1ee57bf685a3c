import type { Order, OrderLine } from '../../engine/domain/order.ts';
import type { PlannedSale, SaleItem } from './sale-schedule.ts';

/** A sale that was created, and when what was asked and answered, ms since 1970; Infinity = not yet. */
export interface KnownSale {
  readonly plan: PlannedSale;
  readonly endsAtMs: number;
  openAskedMs: number;
  openAnsweredMs: number;
  closeAskedMs: number;
  closeAnsweredMs: number;
  /** SKU -> units that the opening moved into its pool. */
  readonly moved: Map<string, number>;
}

/** What an order has of sales. It is live for certain from `fromMs` until it may be cancelled or expire, ms since 1970. */
export interface Purchase {
  readonly user: string;
  readonly lines: readonly OrderLine[];
  readonly fromMs: number;
  /** Infinity: it was placed at once. */
  readonly holdEndsMs: number;
  cancelAskedMs: number;
}

/** When an order was first asked for, and when it was first answered. */
export interface AskedAndAnswered {
  readonly sentMs: number;
  readonly answeredMs: number;
}

/** What is known of the sales of a run, by event id: which lines of an order may be of them, and which must. */
export class SaleBook {
  readonly sales = new Map<string, KnownSale>();
  readonly #prices: ReadonlyMap<string, number>;
  /** By order id. */
  readonly purchases = new Map<string, Purchase>();
  /** Lines of orders that were sold by an event. */
  lines = 0;

  constructor(prices: ReadonlyMap<string, number>) {
    this.#prices = prices;
  }

  add(id: string, plan: PlannedSale, endsAtMs: number): KnownSale {
    const never = { openAskedMs: Infinity, openAnsweredMs: Infinity, closeAskedMs: Infinity };
    const sale = { plan, endsAtMs, ...never, closeAnsweredMs: Infinity, moved: new Map() };
    this.sales.set(id, sale);
    return sale;
  }

  itemOf(id: string, sku: string): SaleItem | undefined {
    return this.sales.get(id)?.plan.items.find((item) => item.sku === sku);
  }

  /** Notes what a customer has bought of sales. */
  sold({ id, items, expiresAt }: Order, user: string, answeredMs: number): void {
    const lines = items.filter(({ eventId }) => eventId !== null);
    if (lines.length === 0) return;
    const holdEndsMs = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
    this.purchases.set(id, { user, lines, fromMs: answeredMs, holdEndsMs, cancelAskedMs: Infinity });
  }

  cancelAsked(id: string): void {
    const purchase = this.purchases.get(id);
    if (purchase) purchase.cancelAskedMs = Math.min(purchase.cancelAskedMs, Date.now());
  }

  /** What is wrong with the prices and events of an order's lines, in words. */
  judge({ items }: Order, when: AskedAndAnswered): string[] {
    return items.flatMap((line) => {
      if (line.eventId !== null) this.lines += 1;
      const wrong = line.eventId === null ? this.#judgeRegular(line, when) : this.#judgeSold(line, when);
      return wrong ? [`"${line.sku}" of ${line.eventId} at ${line.unitPrice}: ${wrong}`] : [];
    });
  }

  /** Whether the limit of some sale may have refused this much. */
  mayLimit({ sku, limit, already, requested }: Record<string, unknown>): boolean {
    const isOne = Array.from(this.sales.values()).some(({ plan }) =>
      plan.items.some((item) => item.sku === sku && item.limitPerUser === limit),
    );
    return isOne && Number(already) <= Number(limit) && Number(already) + Number(requested) > Number(limit);
  }

  #judgeSold({ sku, eventId, unitPrice }: OrderLine, { sentMs, answeredMs }: AskedAndAnswered) {
    const sale = this.sales.get(eventId!);
    const item = this.itemOf(eventId!, sku);
    if (!sale || !item) return 'no sale has it';
    if (unitPrice !== item.price) return `the sale has it at ${item.price}`;
    if (answeredMs < sale.openAskedMs) return 'the sale was not to be opened yet';
    if (sentMs > sale.closeAnsweredMs) return 'the sale was closed';
    return sentMs > sale.endsAtMs ? 'the sale was over' : null;
  }

  #judgeRegular({ sku, unitPrice }: OrderLine, { sentMs, answeredMs }: AskedAndAnswered): string | null {
    if (unitPrice !== this.#prices.get(sku)) return `the shop has it at ${this.#prices.get(sku)}`;
    const isOn = ({ plan, openAnsweredMs, closeAskedMs, endsAtMs }: KnownSale) =>
      plan.items.some((item) => item.sku === sku) &&
      sentMs > openAnsweredMs &&
      answeredMs < Math.min(closeAskedMs, endsAtMs);
    return Array.from(this.sales.values()).some(isOn) ? 'a sale had it all the time' : null;
  }
}
