import { setTimeout as sleep } from 'node:timers/promises';
import { mergeLines, type Order } from '../../engine/domain/order.ts';
import { call, type HttpAnswer, type HttpCall, tokenFor } from '../fixtures/http.ts';
import { type Attempt, isUncertain, type Ledger, write } from './ledger.ts';
import type {
  AdjustStep,
  Ending,
  Line,
  MalformedStep,
  OrderStep,
  Settlement,
  Step,
  WishStep,
} from './schedule.ts';

export interface ShopperOptions {
  readonly name: string;
  /** The apis; requests of one step go to one after the other, from `at` on. */
  readonly urls: readonly string[];
  readonly at: number;
  readonly ledger: Ledger;
  /** Takes what goes on beside the steps: settlements that wait for the end of a hold. */
  readonly later: (work: Promise<void>) => void;
}

interface Sending {
  readonly path: string;
  readonly body: unknown;
  readonly token: string;
  readonly key: string | null;
}

/** One virtual user: takes its steps one after the other and tells the ledger what came back. */
export class Shopper {
  readonly #options: ShopperOptions;
  readonly #token: string;
  readonly #operatorToken: string;
  #turn: number;
  /** What is on the wishlist by the replies; null after one that never came. */
  #wishlist: Map<string, number> | null = new Map();

  constructor(options: ShopperOptions) {
    this.#options = options;
    this.#token = tokenFor(options.name);
    this.#operatorToken = tokenFor(`${options.name} the operator`, 'operator');
    this.#turn = options.at;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#take(step);
    await this.#readWishlist();
    const { ledger, name } = this.#options;
    if (this.#wishlist) ledger.wishlists.set(name, this.#wishlist);
  }

  #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'order':
        return this.#order(step);
      case 'wish':
        return this.#wish(step);
      case 'adjust':
        return this.#adjust(step);
      case 'malformed':
        return this.#sendMalformed(step);
    }
  }

  async #order(step: OrderStep): Promise<void> {
    const { ledger, name } = this.#options;
    const attempts = await this.#sendAtOnce(step);
    const after = { afterSuccess: attempts.some(({ answer }) => answer?.status === 201) };
    if (step.other?.after) attempts.push(await this.#sendOrder(step, step.other.lines, after));
    if (step.again) attempts.push(await this.#sendOrder(step, step.lines, after));
    const order = ledger.orderAnswered(name, attempts);
    if (!step.lines) this.#noteWishlistOrder(attempts);
    if (order) await this.#end(order, step.ending);
  }

  /** The copies, and the other body where it belongs among them. */
  #sendAtOnce(step: OrderStep): Promise<Attempt[]> {
    const copies = Array.from({ length: step.copies }, () => this.#sendOrder(step, step.lines));
    if (step.other && !step.other.after) copies.push(this.#sendOrder(step, step.other.lines));
    return Promise.all(copies);
  }

  async #sendOrder(
    { key }: OrderStep,
    lines: readonly Line[] | null,
    { afterSuccess } = { afterSuccess: false },
  ): Promise<Attempt> {
    const wanted = lines ? write(mergeLines(lines)) : this.#wanted();
    const path = lines ? '/api/v1/orders' : '/api/v1/wishlist/order';
    const body = lines ? { items: lines } : undefined;
    const answer = await this.#post({ path, body, token: this.#token, key });
    return { lines: wanted, answer, afterSuccess };
  }

  #wanted(): string | null {
    return this.#wishlist && write(Array.from(this.#wishlist, ([sku, quantity]) => ({ sku, quantity })));
  }

  #noteWishlistOrder(attempts: readonly Attempt[]): void {
    if (attempts.some(({ answer }) => answer?.status === 201)) this.#wishlist = new Map();
    else if (attempts.some(({ answer }) => isUncertain(answer))) this.#wishlist = null;
  }

  async #end(order: Order, { rounds, lateMs }: Ending): Promise<void> {
    if (lateMs === null || !order.expiresAt) return this.#settle(order, rounds);
    // The end of the hold is an instant: there is nothing to await but the clock.
    const untilMs = Date.parse(order.expiresAt) + lateMs - Date.now();
    this.#options.later(sleep(Math.max(0, untilMs)).then(() => this.#settle(order, rounds)));
  }

  async #settle(order: Order, rounds: Ending['rounds']): Promise<void> {
    for (const round of rounds) await Promise.all(round.map((action) => this.#settleOnce(order, action)));
  }

  async #settleOnce(order: Order, action: Settlement): Promise<void> {
    const path = `/api/v1/orders/${order.id}/${action}`;
    const answer = await this.#post({ path, body: undefined, token: this.#token, key: null });
    this.#options.ledger.settlementAnswered(order, action, answer);
  }

  async #wish({ sku, quantity }: WishStep): Promise<void> {
    const path = `/api/v1/wishlist/${encodeURIComponent(sku)}`;
    const sent = quantity > 0 ? { method: 'PUT', body: { quantity } } : { method: 'DELETE' };
    const answer = await this.#send(path, { ...sent, token: this.#token });
    if (isUncertain(answer)) this.#wishlist = null;
    else if (answer!.status >= 300) this.#options.ledger.expectCode('a wish', answer, []);
    else if (quantity > 0) this.#wishlist?.set(sku, quantity);
    else this.#wishlist?.delete(sku);
  }

  async #readWishlist(): Promise<void> {
    const answer = await this.#send('/api/v1/wishlist', { token: this.#token });
    if (answer?.status !== 200 || !this.#wishlist) return;
    const { ledger, name } = this.#options;
    const shown = write(answer.body.items);
    if (shown !== this.#wanted()) ledger.fault('wrong', `the wishlist of ${name} is ${shown}`);
  }

  async #adjust({ sku, delta, reason, key, copies }: AdjustStep): Promise<void> {
    const path = `/api/v1/products/${encodeURIComponent(sku)}/adjustments`;
    const sending = { path, body: { delta, reason }, token: this.#operatorToken, key };
    const answers = await Promise.all(Array.from({ length: copies }, () => this.#post(sending)));
    const attempts = answers.map((answer) => ({ lines: String(delta), answer, afterSuccess: false }));
    this.#options.ledger.adjustmentAnswered(reason, { sku, delta }, attempts);
  }

  async #sendMalformed({ body, code }: MalformedStep): Promise<void> {
    const answer = await this.#post({ path: '/api/v1/orders', body, token: this.#token, key: null });
    this.#options.ledger.expectCode(body, answer, [code]);
  }

  #post({ path, body, token, key }: Sending): Promise<HttpAnswer | null> {
    const headers: Record<string, string> = key ? { 'idempotency-key': key } : {};
    return this.#send(path, { method: 'POST', token, headers, body });
  }

  async #send(path: string, options: HttpCall): Promise<HttpAnswer | null> {
    const { urls, ledger } = this.#options;
    const url = urls[this.#turn++ % urls.length]!;
    const answer = await call(url + path, options).catch(() => null);
    ledger.count(answer);
    return answer;
  }
}
