import { setTimeout as pause } from 'node:timers/promises';
import type { Order } from '../../../engine/domain/order.ts';
import { call, type HttpAnswer, tokenFor } from '../../fixtures/http.ts';
import { type Basket, readBaskets } from '../../fixtures/shop-data.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';

/** What a shopper was told of an order in the end; `order` is the last that was told of it. */
export interface Told {
  readonly user: string;
  readonly status: number;
  readonly code: string | null;
  order: Order | null;
}

const AT_ONCE = 6;
const USERS = 400;
const PAUSE_MS = 25;
/** Who heard nothing, or that orders are not accepted now, asks again with the same key. */
const AGAIN_AFTER_MS = 200;
const TRIES = 150;

/**
 * Shoppers with the real baskets, over all apis, who ask again with the same idempotency key until they are told. Of the orders
 * that are held they pay some, cancel some, and leave the rest to expire; of the others they cancel a few.
 */
export class Shoppers {
  readonly told: Told[] = [];
  readonly #urls: readonly string[];
  readonly #random: SeededRandom;
  readonly #baskets = readBaskets();
  #next = 0;
  #isOver = false;

  constructor(urls: readonly string[], seed: number) {
    this.#urls = urls;
    this.#random = new SeededRandom(seed);
  }

  /** Shops until `stop` is called; resolves when everybody has been told. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#shop()));
  }

  stop(): void {
    this.#isOver = true;
  }

  async #shop(): Promise<void> {
    while (!this.#isOver) {
      const at = this.#next++;
      const user = `shopper ${at % USERS}`;
      const told = await this.#order(user, { at, basket: this.#baskets[at % this.#baskets.length]! });
      this.told.push(told);
      if (told.order) await this.#afterwards(told);
      await pause(PAUSE_MS);
    }
  }

  async #order(user: string, { at, basket }: { at: number; basket: Basket }): Promise<Told> {
    const answer = await this.#ask('/api/v1/orders', user, {
      key: `order-${at}`,
      body: { items: basket.lines },
    });
    const order = answer.status === 201 ? (answer.body as Order) : null;
    return { user, status: answer.status, code: answer.body?.code ?? null, order };
  }

  async #afterwards(told: Told): Promise<void> {
    const { id, status } = told.order!;
    const draw = this.#random.below(10);
    const action =
      status === 'held' ? (['confirm', 'confirm', 'confirm', 'cancel'] as const)[draw] : undefined;
    const step = action ?? (status === 'placed' && draw === 0 ? 'cancel' : null);
    if (!step) return;
    const answer = await this.#ask(`/api/v1/orders/${id}/${step}`, told.user, { key: `${step}-${id}` });
    if (answer.status === 200) told.order = answer.body as Order;
  }

  /** Until it is told something that is final. */
  async #ask(
    path: string,
    user: string,
    { key, body }: { key: string; body?: unknown },
  ): Promise<HttpAnswer> {
    const asked = { method: 'POST', token: tokenFor(user), headers: { 'Idempotency-Key': key }, body };
    let last = 'no connection';
    for (let tries = 0; tries < TRIES; tries++) {
      const url = this.#urls[this.#random.below(this.#urls.length)]!;
      const answer = await call(url + path, asked).catch(() => null);
      if (answer && answer.status < 500) return answer;
      if (answer) last = JSON.stringify(answer.body);
      await pause(AGAIN_AFTER_MS);
    }
    throw new Error(`${user} heard nothing of ${path} in ${TRIES} tries: ${last}`);
  }
}
