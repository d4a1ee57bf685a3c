import type { Order } from '../../engine/domain/order.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { JournalOrder } from '../../engine/journal/order-entry.ts';
import type { Reply } from './http-pool.ts';
import { SaleBook } from './sale-book.ts';
import type { Line, Settlement } from './schedule.ts';

/** One sending of an order or an adjustment, and what came back; null = the connection broke. */
export interface Attempt {
  /** What an order of it would hold; null = not known, after a wishlist request without an answer. */
  readonly lines: string | null;
  readonly answer: Reply | null;
  /** Sent when an earlier attempt of the same key had been accepted already. */
  readonly afterSuccess: boolean;
  /** Ms since 1970. */
  readonly sentMs: number;
  readonly answeredMs: number;
}

/**
 * `found cancelled`: refused, because it was cancelled before; `?`: a settlement without an answer; `undone`: one that a
 * power cut took, so that nothing is certain.
 */
export type Said = 'confirmed' | 'cancelled' | 'expired' | 'found cancelled' | 'undone' | '?';

/** An order that somebody was told of. */
export interface ToldOrder {
  readonly user: string;
  readonly lines: string;
  readonly total: number;
  /** False: it was placed at once. */
  readonly isHeld: boolean;
  /** What each line is sold by and for (`writeSold`), where a sale event has any of them; else null. */
  readonly sold: string | null;
  /** What the replies to its settlements say it has been through. */
  readonly said: Set<Said>;
  /** Its 201, to the letter, where it is going to be read again; else null: a long run keeps a million orders. */
  text: string | null;
  kept: boolean;
}

export interface ToldAdjustment {
  readonly sku: string;
  readonly delta: number;
  /** False: no answer, so it may have happened or not. */
  readonly certain: boolean;
}

export type Fault = 'doubled' | 'lost' | 'untold' | 'oversold' | 'drifted' | 'wrong';

const MAX_DESCRIBED = 50;

/** Lines as one short text: a long run keeps a million of them. */
export const write = (lines: readonly Line[]): string =>
  lines.map(({ sku, quantity }) => `${sku}*${quantity}`).join(',');

/** What each line of an order is sold by, and for: pools and prices, as one short text. */
export const writeSold = (lines: readonly { pool: string; price: number }[]): string =>
  lines.map(({ pool, price }) => `${pool}@${price}`).join(',');

/** Whether nobody can know what became of the request. */
export const isUncertain = (answer: Reply | null): boolean => !answer || answer.status === 504;

/** All that replies have said, judged as far as replies can be judged by themselves. */
export class Ledger {
  readonly orders = new Map<string, ToldOrder>();
  readonly adjustments = new Map<string, ToldAdjustment>();
  /** Expected wishlists by user; a user whose wishlist is not known is left out. */
  readonly wishlists = new Map<string, ReadonlyMap<string, number>>();
  /** By user, requests of which one order may exist though nobody was told: what its lines may be, null = anything. */
  readonly unanswered = new Map<string, (readonly string[] | null)[]>();
  readonly refused = new Map<string, number>();
  readonly faults = new Map<Fault, number>();
  readonly descriptions: string[] = [];
  readonly sales: SaleBook;
  /** Orders, and reasons of adjustments, that were told and are lost with what a power cut took: nothing is said of them. */
  readonly forgiven = new Set<string>();
  /** Users whose wishlists went back in time. */
  readonly forgivenWishlists = new Set<string>();
  /** Orders of those that somebody had been told of. */
  readonly taken = new Set<string>();
  readonly #unnamed = new Set<string>();
  /** False: clocks of processes jump, so that a hold may end at any time by the clock of this process. */
  isTimeTrue = true;
  /** False: a recovery gives wishlists back sorted by SKU, as MariaDB does not know in which order they were made. */
  keepsWishlistOrder = true;
  /** Orders that were asked for, copies not counted. */
  asked = 0;
  requests = 0;
  replayed = 0;
  withoutAnswer = 0;
  /** Requests whose outcome nobody knew, sent once more with their key. */
  askedAgain = 0;
  /** Orders of requests without an answer that were found in MariaDB. */
  unknownFound = 0;
  /** Orders that were read right after their 201, and later on. */
  readAtOnce = 0;
  readLater = 0;

  constructor(prices: ReadonlyMap<string, number>) {
    this.sales = new SaleBook(prices);
  }

  fault(kind: Fault, description: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    if (this.descriptions.length < MAX_DESCRIBED) this.descriptions.push(`${kind}: ${description}`);
  }

  /** These are gone from Redis, and are not in MariaDB: what was told of them is forgiven. */
  lose(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'orders') for (const order of entry.orders) this.#loseOrder(order);
      if (entry.kind === 'settlements')
        for (const { orderId } of entry.settlements) this.orders.get(orderId)?.said.add('undone');
      if (entry.kind === 'adjustments')
        for (const { sku, delta, reason } of entry.adjustments) {
          this.forgiven.add(reason);
          if (this.adjustments.has(reason)) this.adjustments.set(reason, { sku, delta, certain: false });
        }
      if (entry.kind === 'wishlists') for (const { user } of entry.changes) this.#loseWishlist(user);
    }
  }

  /** Nobody was asked, or told, that these are gone; see `checkUnnamed`. */
  lostUnnamed(entries: readonly Entry[]): void {
    for (const entry of entries)
      if (entry.kind === 'orders') for (const { order } of entry.orders) this.#unnamed.add(order.id);
  }

  /** P6: where nobody had to decide, nothing may be missing that somebody had been told of. */
  checkUnnamed(): void {
    for (const id of this.#unnamed)
      if (this.taken.has(id))
        this.fault('lost', `${id} was told, and was lost by a recovery that asked nobody`);
  }

  #loseOrder({ userId, order, fromWishlist }: JournalOrder): void {
    this.forgiven.add(order.id);
    if (this.orders.delete(order.id)) this.taken.add(order.id);
    if (fromWishlist) this.#loseWishlist(userId);
  }

  #loseWishlist(user: string): void {
    this.forgivenWishlists.add(user);
    this.wishlists.delete(user);
  }

  /** Whether two wishlists, or orders of one, are the same (`write`). */
  areSame(one: string | null, other: string): boolean {
    if (one === null || this.keepsWishlistOrder) return one === other;
    const sorted = (lines: string) => lines.split(',').sort().join();
    return sorted(one) === sorted(other);
  }

  /** Counts an answer. */
  count(answer: Reply | null): void {
    this.requests += 1;
    if (isUncertain(answer)) this.withoutAnswer += 1;
    if (!answer) return;
    if (answer.isReplay) this.replayed += 1;
    if (answer.status < 400) return;
    // A 503 says in its detail which of several reasons it has.
    const code = answer.status === 503 ? `503 ${answer.body?.detail}` : String(answer.body?.code);
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** Judges all attempts at one order; gives its reply when there is one. */
  orderAnswered(user: string, attempts: readonly Attempt[]): Order | null {
    this.asked += 1;
    const first = this.#judgeRepetitions(user, attempts);
    for (const attempt of attempts) this.#judgeRefusal(user, attempt, attempts);
    const order = (first?.answer?.body ?? null) as Order | null;
    if (order) this.#addOrder(user, order, attempts);
    else this.#addUnanswered(user, attempts);
    return order;
  }

  /** Judges all attempts at one adjustment. */
  adjustmentAnswered(
    reason: string,
    told: { sku: string; delta: number },
    attempts: readonly Attempt[],
  ): void {
    if (this.forgiven.has(reason)) {
      this.adjustments.set(reason, { ...told, certain: false });
      return;
    }
    const first = this.#judgeRepetitions(reason, attempts);
    for (const attempt of attempts) this.#judgeRefusal(reason, attempt, attempts);
    const certain = first !== undefined;
    if (certain || attempts.some(({ answer }) => isUncertain(answer)))
      this.adjustments.set(reason, { ...told, certain });
  }

  /** Notes that a cancellation of the order is about to be sent. */
  cancelAsked({ id }: Order): void {
    this.sales.cancelAsked(id);
  }

  /** Notes what the reply to a settlement says the order has been through. */
  settlementAnswered(order: Order, action: Settlement, answer: Reply | null): void {
    const told = this.orders.get(order.id);
    if (!told) return; // forgiven meanwhile
    const { said } = told;
    if (said.has('undone')) return;
    const body = answer?.body;
    if (isUncertain(answer)) said.add('?');
    else if (answer!.status === 200) {
      const status = action === 'confirm' ? 'placed' : 'cancelled';
      said.add(action === 'confirm' ? 'confirmed' : 'cancelled');
      this.#expectLike({ ...order, status, expiresAt: null }, answer!.text, `${action} of ${order.id}`);
    } else if (body?.code === 'order_state') {
      if (body.orderStatus === 'expired') said.add('expired');
      else if (action === 'confirm' && body.orderStatus === 'cancelled') said.add('found cancelled');
      else this.fault('wrong', `${action} of ${order.id} was refused as ${body.orderStatus}`);
    } else if (answer!.status !== 503) {
      this.fault('wrong', `${action} of ${order.id} was answered ${answer!.status}`);
    }
  }

  /** The answer is the refusal that it has to be, or one that says nothing. */
  expectCode(what: string, answer: Reply | null, codes: readonly string[]): void {
    if (isUncertain(answer) || answer!.status === 503 || codes.includes(answer!.body?.code)) return;
    const given = answer!.body?.code ?? '';
    this.fault(
      'wrong',
      `${what} was answered ${answer!.status} ${given}, not ${codes.join(' or ') || 'as before'}`,
    );
  }

  /** One key has one success: one of the replies is the first, all others repeat it to the letter. */
  #judgeRepetitions(what: string, attempts: readonly Attempt[]): Attempt | undefined {
    const successes = attempts.filter(({ answer }) => answer?.status === 201 && !this.#isForgiven(answer));
    const [first] = successes;
    if (!first) return undefined;
    const texts = new Set(successes.map(({ answer }) => answer!.text));
    if (texts.size > 1) this.fault('doubled', `${what} was answered in ${texts.size} ways: ${[...texts]}`);
    const fresh = successes.filter(({ answer }) => !answer!.isReplay).length;
    const mayBeReplay = attempts.some(({ answer }) => isUncertain(answer));
    if (fresh > 1 || (fresh === 0 && !mayBeReplay))
      this.fault('doubled', `${what}: ${fresh} of ${successes.length} successes were no replay`);
    return successes.find(({ answer }) => !answer!.isReplay) ?? first;
  }

  /** A refusal must be one that this attempt could meet. */
  #judgeRefusal(what: string, { lines, answer, afterSuccess }: Attempt, attempts: readonly Attempt[]): void {
    if (!answer || answer.status === 201) return;
    const keyIsTaken = attempts.some(
      (other) => other.lines !== lines && (isUncertain(other.answer) || other.answer?.status === 201),
    );
    const allowed = [
      ...(afterSuccess || lines === '' ? [] : ['out_of_stock', 'limit_exceeded']),
      ...(keyIsTaken ? ['idempotency_mismatch'] : []),
      ...(lines === '' || lines === null ? ['empty_wishlist'] : []),
    ];
    this.expectCode(`${what} of ${lines}`, answer, allowed);
    if (answer.body?.code === 'limit_exceeded')
      for (const item of answer.body.items)
        if (!this.sales.mayLimit(item)) this.fault('wrong', `${what}: limited by ${JSON.stringify(item)}`);
    if (answer.body?.code !== 'out_of_stock') return;
    for (const { sku, requested, available } of answer.body.items) {
      if (!(available >= 0 && available < requested))
        this.fault('wrong', `${what}: ${requested} of "${sku}" refused with ${available} left`);
    }
  }

  /** The order is as it was asked for, and as its prices have it. */
  #addOrder(user: string, order: Order, attempts: readonly Attempt[]): void {
    const lines = write(order.items);
    for (const attempt of attempts) {
      if (attempt.answer?.status === 201 && attempt.lines !== null && !this.areSame(attempt.lines, lines))
        this.fault('wrong', `${user} asked for ${attempt.lines} and was told ${lines}`);
    }
    const total = order.items.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
    if (total !== order.total) this.fault('wrong', `${order.id} says ${order.total}, its lines are ${total}`);
    if (this.orders.has(order.id)) this.fault('doubled', `${order.id} was given out twice`);
    const successes = attempts.filter(({ answer }) => answer?.status === 201);
    const sentMs = Math.min(...attempts.map((attempt) => attempt.sentMs));
    const answeredMs = Math.min(...successes.map((attempt) => attempt.answeredMs));
    for (const wrong of this.sales.judge(order, { sentMs, answeredMs }))
      this.fault('wrong', `${order.id} of ${user} has ${wrong}`);
    this.sales.sold(order, user, answeredMs);
    const told = { user, lines, total, isHeld: order.status === 'held', sold: soldOf(order) };
    this.orders.set(order.id, { ...told, said: new Set(), text: null, kept: false });
  }

  /** One order at most can have come of these attempts, and of one of these contents. */
  #addUnanswered(user: string, attempts: readonly Attempt[]): void {
    const open = attempts.filter(({ answer }) => isUncertain(answer));
    if (open.length === 0) return;
    const contents = open.map(({ lines }) => lines);
    const known = contents.includes(null) ? null : (contents as string[]);
    const others = this.unanswered.get(user);
    if (others) others.push(known);
    else this.unanswered.set(user, [known]);
  }

  #isForgiven({ text }: Reply): boolean {
    if (this.forgiven.size === 0) return false;
    const id = String((JSON.parse(text) as { id?: string }).id);
    if (this.forgiven.has(id)) this.taken.add(id);
    return this.forgiven.has(id);
  }

  #expectLike(wanted: unknown, text: string, what: string): void {
    if (text !== JSON.stringify(wanted)) this.fault('wrong', `${what} says ${text}`);
  }
}

function soldOf({ items }: Order): string | null {
  if (items.every(({ eventId }) => eventId === null)) return null;
  return writeSold(items.map(({ eventId, unitPrice }) => ({ pool: eventId ?? 'regular', price: unitPrice })));
}
