import { setTimeout as sleep } from 'node:timers/promises';
import { mergeLines, type Order } from '../../engine/domain/order.ts';
import { tokenFor } from '../fixtures/http.ts';
import type { Calm } from './disturbances.ts';
import type { HttpPool, Reply, Sending } from './http-pool.ts';
import { type Attempt, isUncertain, type Ledger, type ToldOrder, write } from './ledger.ts';
import { judgeReadAtOnce, judgeReadLater } from './readings.ts';
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
  readonly pool: HttpPool;
  /** The apis; requests of one step go to one after the other, from `at` on. One that was started again has a new url. */
  readonly urls: readonly string[];
  readonly at: number;
  readonly ledger: Ledger;
  readonly disturbances: Calm;
  /** Called before every step: what else is to happen by now begins. */
  readonly onStep: () => void;
  /** Takes what goes on beside the steps: settlements that wait for the end of a hold. */
  readonly later: (work: Promise<void>) => void;
}

/** What can be asked again without harm is asked so often while nobody knows the outcome, when all serve again. */
const MAX_ASKED_AGAIN = 5;

/** One virtual user: takes its steps one after the other and tells the ledger what came back. */
export class Shopper {
  readonly #options: ShopperOptions;
  readonly #token: string;
  #operatorToken: string | null = null;
  #turn: number;
  /** What is on the wishlist by the replies; null after one that never came. */
  #wishlist: Map<string, number> | null = new Map();
  readonly #toReadAgain: ToldOrder[] = [];

  constructor(options: ShopperOptions) {
    this.#options = options;
    this.#token = tokenFor(options.name);
    this.#turn = options.at;
  }

  async run(steps: Iterable<Step>): Promise<void> {
    const { ledger, name, onStep } = this.#options;
    for (const step of steps) {
      onStep();
      await this.#take(step);
    }
    await this.#readWishlist();
    await this.readAgain(this.#toReadAgain);
    if (this.#known) ledger.wishlists.set(name, this.#known);
  }

  /** Reads orders of this user whose 201 was kept. */
  async readAgain(orders: readonly ToldOrder[]): Promise<void> {
    for (const told of orders) {
      const { id } = JSON.parse(told.text!) as Order;
      judgeReadLater(this.#options.ledger, told, await this.#get(`/api/v1/orders/${id}`));
    }
  }

  #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'order':
        return this.#order(step);
      case 'rush':
        return Promise.all(step.orders.map((order) => this.#order(order))).then(() => undefined);
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
    if (step.key) await this.#learn(attempts, () => this.#sendOrder(step, step.lines));
    const order = ledger.orderAnswered(name, attempts);
    if (!step.lines) this.#noteWishlistOrder(attempts);
    if (order) await this.#goOn(step, order, attempts);
  }

  /** The copies, and the other body where it belongs among them. */
  #sendAtOnce(step: OrderStep): Promise<Attempt[]> {
    const copies = Array.from({ length: step.copies }, () => this.#sendOrder(step, step.lines));
    if (step.other && !step.other.after) copies.push(this.#sendOrder(step, step.other.lines));
    return Promise.all(copies);
  }

  /** Asks again with the same key, through the apis in turn, until a reply says what became of it. */
  async #learn(attempts: Attempt[], ask: () => Promise<Attempt>): Promise<void> {
    const isKnown = () =>
      attempts.every(({ answer }) => !isUncertain(answer)) ||
      attempts.some(({ answer }) => answer?.status === 201);
    for (let asked = 0; asked < MAX_ASKED_AGAIN && !isKnown(); asked++) {
      await this.#options.disturbances.whenCalm();
      this.#options.ledger.askedAgain += 1;
      attempts.push(await ask());
    }
  }

  async #goOn(step: OrderStep, order: Order, attempts: readonly Attempt[]): Promise<void> {
    const { ledger } = this.#options;
    const placed = attempts.find(({ answer }) => answer?.status === 201)!.answer!;
    if (step.readAtOnce) judgeReadAtOnce(ledger, placed, await this.#get(`/api/v1/orders/${order.id}`));
    if (step.readLater) {
      const told = ledger.orders.get(order.id);
      if (!told) return; // forgiven meanwhile
      told.text = placed.text;
      this.#toReadAgain.push(told);
    }
    await this.#end(order, step.ending);
  }

  async #sendOrder(
    { key }: OrderStep,
    lines: readonly Line[] | null,
    { afterSuccess } = { afterSuccess: false },
  ): Promise<Attempt> {
    const wanted = lines ? write(mergeLines(lines)) : this.#wanted();
    const path = lines ? '/api/v1/orders' : '/api/v1/wishlist/order';
    const body = lines ? JSON.stringify({ items: lines }) : undefined;
    const sending = { method: 'POST', path, body, token: this.#token, key };
    const attempt = await this.#attempt(sending, wanted, afterSuccess);
    // The wishlist may have gone back in time while the request was on its way.
    return lines || this.#known ? attempt : { ...attempt, lines: null };
  }

  async #attempt(sending: Sending, lines: string | null, afterSuccess = false): Promise<Attempt> {
    const sentMs = Date.now();
    const answer = await this.#send(sending);
    return { lines, answer, afterSuccess, sentMs, answeredMs: Date.now() };
  }

  /** Nobody knows it after a power cut that took a change of it. */
  get #known(): Map<string, number> | null {
    const { ledger, name } = this.#options;
    return ledger.forgivenWishlists.has(name) ? null : this.#wishlist;
  }

  #wanted(): string | null {
    return this.#known && write(Array.from(this.#known, ([sku, quantity]) => ({ sku, quantity })));
  }

  #noteWishlistOrder(attempts: readonly Attempt[]): void {
    if (attempts.some(({ answer }) => answer?.status === 201)) this.#wishlist = new Map();
    else if (attempts.some(({ answer }) => isUncertain(answer))) this.#wishlist = null;
  }

  async #end(order: Order, { rounds, lateMs }: Ending): Promise<void> {
    // By the clock of another process the end of a hold may be an hour away.
    if (lateMs === null || !order.expiresAt || !this.#options.ledger.isTimeTrue)
      return this.#settle(order, rounds);
    // The end of the hold is an instant: there is nothing to await but the clock.
    const untilMs = Date.parse(order.expiresAt) + lateMs - Date.now();
    this.#options.later(sleep(Math.max(0, untilMs)).then(() => this.#settle(order, rounds)));
  }

  async #settle(order: Order, rounds: Ending['rounds']): Promise<void> {
    for (const round of rounds) await Promise.all(round.map((action) => this.#settleOnce(order, action)));
  }

  async #settleOnce(order: Order, action: Settlement): Promise<void> {
    const path = `/api/v1/orders/${order.id}/${action}`;
    if (action === 'cancel') this.#options.ledger.cancelAsked(order);
    for (let asked = 0; asked <= MAX_ASKED_AGAIN; asked++) {
      const answer = await this.#send({ method: 'POST', path, token: this.#token });
      this.#options.ledger.settlementAnswered(order, action, answer);
      if (!isUncertain(answer)) return;
      await this.#options.disturbances.whenCalm();
    }
  }

  async #wish({ sku, quantity }: WishStep): Promise<void> {
    const path = `/api/v1/wishlist/${encodeURIComponent(sku)}`;
    const sent = quantity > 0 ? { method: 'PUT', body: `{"quantity":${quantity}}` } : { method: 'DELETE' };
    const answer = await this.#send({ ...sent, path, token: this.#token });
    if (isUncertain(answer)) this.#wishlist = null;
    else if (answer!.status >= 300) this.#options.ledger.expectCode('a wish', answer, []);
    else if (quantity > 0) this.#wishlist?.set(sku, quantity);
    else this.#wishlist?.delete(sku);
  }

  async #readWishlist(): Promise<void> {
    const answer = await this.#get('/api/v1/wishlist');
    if (answer?.status !== 200 || !this.#known) return;
    const { ledger, name } = this.#options;
    // While Redis is rebuilt, a reading shows what is there by then.
    if (!ledger.keepsWishlistOrder) return;
    const shown = write(answer.body.items);
    if (!ledger.areSame(this.#wanted(), shown)) ledger.fault('wrong', `the wishlist of ${name} is ${shown}`);
  }

  async #adjust({ sku, delta, reason, key, copies }: AdjustStep): Promise<void> {
    const path = `/api/v1/products/${encodeURIComponent(sku)}/adjustments`;
    this.#operatorToken ??= tokenFor(`${this.#options.name} the operator`, 'operator');
    const body = JSON.stringify({ delta, reason });
    const sending = { method: 'POST', path, body, token: this.#operatorToken, key };
    const ask = () => this.#attempt(sending, String(delta));
    const attempts = await Promise.all(Array.from({ length: copies }, ask));
    if (key) await this.#learn(attempts, ask);
    this.#options.ledger.adjustmentAnswered(reason, { sku, delta }, attempts);
  }

  async #sendMalformed({ body, code }: MalformedStep): Promise<void> {
    const answer = await this.#send({ method: 'POST', path: '/api/v1/orders', body, token: this.#token });
    this.#options.ledger.expectCode(body, answer, [code]);
  }

  #get(path: string): Promise<Reply | null> {
    return this.#send({ method: 'GET', path, token: this.#token });
  }

  /**
   * Sends it to the api whose turn it is, or to the next one that can be reached; null when nobody knows what came of
   * it. Who is refused because somebody was killed goes on when all serve again: a closed shop teaches nothing.
   */
  async #send(sending: Sending): Promise<Reply | null> {
    const { urls, ledger, pool, disturbances } = this.#options;
    for (let tries = 0; ; tries++) {
      if (tries >= urls.length) await disturbances.whenCalm();
      const sent = await pool.send(urls[this.#turn++ % urls.length]!, sending);
      if (sent === 'unreachable' && tries < MAX_ASKED_AGAIN) continue;
      const answer = typeof sent === 'string' ? null : sent;
      ledger.count(answer);
      if (answer?.status === 503) await disturbances.whenCalm();
      return answer;
    }
  }
}
