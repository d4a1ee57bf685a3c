import { setTimeout as pause } from 'node:timers/promises';
import { call, tokenFor } from '../fixtures/http.ts';
import { HttpPool } from '../simulation/http-pool.ts';
import { Ledger } from '../simulation/ledger.ts';
import { Operator } from '../simulation/operator.ts';
import { drawSales } from '../simulation/sale-schedule.ts';
import { drawSchedule, drawShop, type ShopProduct, type Step } from '../simulation/schedule.ts';
import { Shopper } from '../simulation/shopper.ts';

export interface LoadOptions {
  readonly seed: number;
  /** What the names of its users and products begin with: the servers have seen other loads. */
  readonly prefix: string;
  readonly urls: readonly string[];
  readonly hasSales: boolean;
  /** False: no hold is judged by the time. */
  readonly isTimeTrue: boolean;
}

/** About what is asked for in a round: it sizes stocks and spreads the sale events. */
const EXPECTED_ORDERS = 800;
const USERS_AT_ONCE = 8;
/** A user who was refused, or heard nothing, has another look; the fault may still be on. */
const USER_WAITS_MS = 150;
/** The operator asks fifty times: for longer than any fault lasts. */
const OPERATOR_WAITS_MS = 500;

/**
 * Users and an operator, as in the concurrent run, who go on asking whatever happens: who gets no answer asks again
 * with the same key a few times, and gives up.
 */
export class Load {
  readonly ledger: Ledger;
  readonly shop: readonly ShopProduct[];
  readonly #options: LoadOptions;
  readonly #pool = new HttpPool();
  readonly #operator: Operator;
  readonly #later = new Set<Promise<void>>();
  #isOver = false;
  #users = 0;

  constructor(options: LoadOptions) {
    const { seed, prefix, urls, hasSales, isTimeTrue } = options;
    this.#options = options;
    this.shop = drawShop(EXPECTED_ORDERS).map((product) => ({ ...product, sku: prefix + product.sku }));
    this.ledger = new Ledger(new Map(this.shop.map(({ sku, price }) => [sku, price])));
    this.ledger.isTimeTrue = isTimeTrue;
    const drawn = hasSales ? drawSales(seed, EXPECTED_ORDERS, this.shop) : [];
    const sales = drawn.map((sale) => ({ ...sale, name: prefix + sale.name }));
    const [ledger, pool, disturbances] = [
      this.ledger,
      this.#pool,
      { whenCalm: () => pause(OPERATOR_WAITS_MS) },
    ];
    this.#operator = new Operator(sales, { urls, ledger, pool, disturbances });
  }

  /** Puts the products on sale. */
  async loadShop(): Promise<void> {
    const token = tokenFor('the operator', 'operator');
    for (const { sku, price, stock } of this.shop) {
      const url = `${this.#options.urls[0]}/api/v1/products/${encodeURIComponent(sku)}`;
      const { status } = await call(url, { method: 'PUT', token, body: { name: sku, price, stock } });
      if (status !== 201) throw new Error(`"${sku}" was not loaded: ${status}`);
    }
  }

  /** Sells until `stop` is called; resolves when the last user has left. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: USERS_AT_ONCE }, () => this.#queue()));
    await Promise.all(this.#later);
  }

  /** Nobody begins anything new. */
  stop(): void {
    this.#isOver = true;
  }

  /** Ends the sale events; the apis must accept orders. */
  closeSales(): Promise<void> {
    return this.#operator.finish();
  }

  disconnect(): void {
    this.#pool.close();
  }

  async #queue(): Promise<void> {
    while (!this.#isOver) {
      const user = this.#users++;
      const { seed, prefix, urls } = this.#options;
      const shopper = new Shopper({
        ...{ name: `${prefix}user ${user}`, at: user, urls },
        ...{ pool: this.#pool, ledger: this.ledger, disturbances: { whenCalm: () => pause(USER_WAITS_MS) } },
        onStep: () => this.#operator.tick(this.ledger.asked),
        later: (work) => this.#goOnLater(work),
      });
      await shopper.run(this.#whileOpen(drawSchedule(seed, user, this.shop)));
    }
  }

  *#whileOpen(steps: readonly Step[]): Iterable<Step> {
    for (const step of steps) {
      if (this.#isOver) return;
      yield step;
    }
  }

  #goOnLater(work: Promise<void>): void {
    this.#later.add(work);
    const done = () => this.#later.delete(work);
    work.then(done, () => undefined); // one that failed stays, and is heard of at the end
  }
}
