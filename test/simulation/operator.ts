import { tokenFor } from '../fixtures/http.ts';
import type { Calm } from './disturbances.ts';
import type { HttpPool, Reply } from './http-pool.ts';
import type { Ledger } from './ledger.ts';
import type { KnownSale } from './sale-book.ts';
import type { PlannedSale } from './sale-schedule.ts';

export interface OperatorOptions {
  readonly pool: HttpPool;
  /** The apis, as the shoppers have them. */
  readonly urls: readonly string[];
  readonly ledger: Ledger;
  readonly disturbances: Calm;
}

interface Task {
  /** When so many orders have been asked for. */
  readonly at: number;
  readonly run: () => Promise<void>;
}

interface Asked {
  readonly path: string;
  readonly key: string;
  readonly body?: string;
  /** When the sale is over, ms since 1970: from then on it may be refused. */
  readonly endsAt: number;
}

const MAX_ASKED = 50;
/** What may be said of a sale that is over. */
const REFUSALS = ['event_state', 'invalid_request'];

/** Creates, opens and closes the sales of a run when their time comes, one step at a time, each under a key of its own. */
export class Operator {
  readonly #options: OperatorOptions;
  readonly #tasks: Task[];
  readonly #ids = new Map<PlannedSale, string>();
  readonly #token = tokenFor('the seller', 'operator');
  #running: Promise<void> = Promise.resolve();
  #turn = 0;

  constructor(plan: readonly PlannedSale[], options: OperatorOptions) {
    this.#options = options;
    this.#tasks = plan
      .flatMap((sale) => [
        { at: sale.openAt, run: () => this.#open(sale) },
        { at: sale.closeAt, run: () => this.#close(sale) },
      ])
      .sort((a, b) => a.at - b.at);
  }

  /** Begins what is due when `asked` orders have been asked for. */
  tick(asked: number): void {
    while (this.#tasks.length > 0 && this.#tasks[0]!.at <= asked) {
      this.#running = this.#running.then(this.#tasks.shift()!.run);
      this.#running.catch(() => undefined); // it is heard of at the end
    }
  }

  /** Closes what is still to be closed. Rejects when a step could not be done. */
  finish(): Promise<void> {
    this.tick(Number.POSITIVE_INFINITY);
    return this.#running;
  }

  async #open(plan: PlannedSale): Promise<void> {
    const { name, holdSeconds, items, lastsMs } = plan;
    const startsAt = Date.now();
    const endsAt = startsAt + lastsMs;
    const times = { startsAt: new Date(startsAt).toISOString(), endsAt: new Date(endsAt).toISOString() };
    const body = JSON.stringify({ name, ...times, holdSeconds, items });
    const created = await this.#ask({ path: '/api/v1/events', key: `create-${name}`, body, endsAt });
    if (created.status !== 201) return; // it was over before it was created
    const { id } = created.body;
    const sale = this.#options.ledger.sales.add(id, plan, endsAt);
    this.#ids.set(plan, id);
    sale.openAskedMs = Date.now();
    const opened = await this.#askTwice({ path: `/api/v1/events/${id}/open`, key: `open-${name}`, endsAt });
    if (opened.status !== 200) return; // it was over before it was opened
    sale.openAnsweredMs = Date.now();
    noteMoved(sale, opened);
  }

  async #close(plan: PlannedSale): Promise<void> {
    const id = this.#ids.get(plan);
    const sale = id && this.#options.ledger.sales.sales.get(id);
    if (!sale || sale.openAnsweredMs === Number.POSITIVE_INFINITY) return;
    sale.closeAskedMs = Date.now();
    const path = `/api/v1/events/${id}/close`;
    await this.#askTwice({ path, key: `close-${plan.name}`, endsAt: Number.POSITIVE_INFINITY });
    sale.closeAnsweredMs = Date.now();
  }

  /** The same at once through two apis: it is done once, and both are told the same. */
  async #askTwice(asked: Asked): Promise<Reply> {
    const [first, second] = await Promise.all([this.#ask(asked), this.#ask(asked)]);
    if (first.text !== second.text)
      this.#options.ledger.fault('doubled', `${asked.key} was answered ${first.text} and ${second.text}`);
    return first;
  }

  /** Asks until somebody knows what became of it. Only a sale that is over may be refused. */
  async #ask({ path, key, body, endsAt }: Asked): Promise<Reply> {
    const { urls, pool, ledger, disturbances } = this.#options;
    for (let asked = 1; ; asked++) {
      const url = urls[this.#turn++ % urls.length]!;
      const sent = await pool.send(url, { method: 'POST', path, token: this.#token, key, body });
      if (typeof sent !== 'string' && (sent.status < 500 || asked === MAX_ASKED)) {
        const mayBe = sent.status < 300 || (REFUSALS.includes(sent.body?.code) && Date.now() >= endsAt);
        if (!mayBe) ledger.fault('wrong', `${key} was answered ${sent.status} ${sent.text}`);
        return sent;
      }
      if (asked > MAX_ASKED) throw new Error(`${key} was not answered ${asked} times`);
      await disturbances.whenCalm();
    }
  }
}

/** Of an opening: the allotments, less what was short of them. */
function noteMoved(sale: KnownSale, opened: Reply): void {
  for (const { sku, stock } of sale.plan.items) sale.moved.set(sku, stock);
  for (const { sku, moved } of opened.body.shortfalls) sale.moved.set(sku, moved);
}
