import { NotAccepting, OutcomeUnknown } from '../engine/domain/fault.ts';
import type { OrderOutcome } from '../engine/domain/order.ts';
import { Histogram } from '../engine/runtime/histogram.ts';

const OUTCOMES = [
  'accepted',
  'replayed',
  'out_of_stock',
  'limit_exceeded',
  'price_changed',
  'unknown_product',
  'empty_wishlist',
  'total_too_large',
  'idempotency_mismatch',
  'not_accepting',
  'outcome_unknown',
  'internal_error',
] as const satisfies readonly (
  | OrderOutcome['kind']
  | 'not_accepting'
  | 'outcome_unknown'
  | 'internal_error'
)[];

type CountedOutcome = (typeof OUTCOMES)[number];

/** What became of the orders of this process, and how long it took to know. Plain numbers: every order passes here. */
export class OrderCounts {
  readonly decisions = new Histogram();
  readonly #counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<
    CountedOutcome,
    number
  >;

  get byOutcome(): ReadonlyMap<string, number> {
    return new Map(Object.entries(this.#counts));
  }

  /** Counts an order that is refused before it is read, if `refusal` is one, and gives that on. */
  refusal(refusal: NotAccepting | null): NotAccepting | null {
    if (refusal) this.#counts.not_accepting += 1;
    return refusal;
  }

  /** Counts what `deciding` comes to, and gives it on. */
  async watch(deciding: Promise<OrderOutcome>): Promise<OrderOutcome> {
    const startedAt = performance.now();
    try {
      const outcome = await deciding;
      this.#counts[outcome.kind] += 1;
      this.decisions.observe((performance.now() - startedAt) / 1_000);
      return outcome;
    } catch (error) {
      this.#counts[failureOf(error)] += 1;
      throw error;
    }
  }
}

function failureOf(error: unknown): CountedOutcome {
  if (error instanceof NotAccepting) return 'not_accepting';
  return error instanceof OutcomeUnknown ? 'outcome_unknown' : 'internal_error';
}
