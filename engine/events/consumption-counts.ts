import type { Verdict } from '../broker/broker.ts';
import type { Clock } from '../runtime/clock.ts';
import { Histogram } from '../runtime/histogram.ts';
import type { AdvanceResult } from './sale-events.ts';

/** `dead`: it went to the dead letters. `failed`: it was not handled, and comes again. */
const MESSAGE_OUTCOMES = ['done', 'dead', 'failed'] as const;
const STEP_OUTCOMES = ['opened', 'closed', 'missed', 'stale', 'early', 'taken', 'missing', 'failed'] as const;

/** What became of the messages that this process consumed, and how late sale events opened by it. */
export class ConsumptionCounts {
  /** From the start of an event to when it was open. */
  readonly openingDelays = new Histogram();
  readonly #clock: Clock;
  readonly #messages = new Map<string, number>(MESSAGE_OUTCOMES.map((outcome) => [outcome, 0]));
  readonly #steps = new Map<string, number>(STEP_OUTCOMES.map((outcome) => [outcome, 0]));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get messages(): ReadonlyMap<string, number> {
    return this.#messages;
  }

  get steps(): ReadonlyMap<string, number> {
    return this.#steps;
  }

  /** Counts what the handling of a message comes to, and gives it on. */
  async watchMessage(handling: Promise<Verdict>): Promise<Verdict> {
    return await watch(this.#messages, handling, (verdict) => (verdict === 'done' ? 'done' : 'dead'));
  }

  /** Counts what a look at what is due comes to, and gives it on. */
  async watchStep(advancing: Promise<AdvanceResult>): Promise<AdvanceResult> {
    const result = await watch(this.#steps, advancing, outcomeOf);
    if (result.kind === 'done' && result.action === 'open')
      this.openingDelays.observe((this.#clock.nowMs() - result.event.startsAt) / 1_000);
    return result;
  }
}

async function watch<T>(
  counts: Map<string, number>,
  work: Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  try {
    const result = await work;
    count(outcome(result));
    return result;
  } catch (error) {
    count('failed');
    throw error;
  }
}

function outcomeOf(result: AdvanceResult): string {
  if (result.kind !== 'done') return result.kind;
  if (result.action === 'open') return 'opened';
  return result.action === 'close' ? 'closed' : 'missed';
}
