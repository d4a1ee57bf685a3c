import { setTimeout as pause } from 'node:timers/promises';
import type { Delivery, Subscription, Verdict } from '../broker/broker.ts';
import { EVENTS_QUEUE } from '../broker/topology.ts';
import type { AdvanceResult } from '../events/sale-events.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { BadMessage, readBody, readCount, readText } from './message.ts';
import { untilPossible } from './until-possible.ts';

export interface DueEventsOptions {
  /** Does what is due for an occurrence of an event, if anything is; see `SaleEvents.advance`. */
  readonly advance: (eventId: string, occurrence: number) => Promise<AdvanceResult>;
  /** The engine's clock. */
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An occurrence of a sale event of which somebody says that something is due: `event.open`, `event.close`. */
interface Occurrence {
  readonly eventId: string;
  readonly occurrence: number;
}

const PREFETCH = 16;
/** What is due later than this is said again by whoever schedules it. */
const MAX_EARLY_MS = 5_000;
/** A clock that is set meanwhile is noticed after this long. */
const LOOK_AGAIN_MS = 500;
/** The event before it may be closing just now; later it is said again. */
const TAKEN_AGAIN_MS = 250;
const MAX_LOOKS_WHILE_TAKEN = 20;

/**
 * Opens and closes the sale events of which a message says that they are due. Whether they are is decided by the engine's clock
 * alone: a message that comes early, late, twice or in the wrong order does no harm.
 */
export function dueEvents(options: DueEventsOptions): Subscription {
  return {
    queue: EVENTS_QUEUE,
    prefetch: PREFETCH,
    handle: (delivery) => handle(options, delivery),
  };
}

async function handle(options: DueEventsOptions, { content, signal }: Delivery): Promise<Verdict> {
  try {
    await advance(options, readOccurrence(content), signal);
    return 'done';
  } catch (error) {
    if (error instanceof BadMessage) return { dead: error.message };
    throw error;
  }
}

async function advance(
  { clock, logger, ...options }: DueEventsOptions,
  about: Occurrence,
  signal: AbortSignal,
): Promise<void> {
  const { eventId, occurrence } = about;
  let looksWhileTaken = 0;
  for (;;) {
    const result = await untilPossible({ logger, about, signal }, () => options.advance(eventId, occurrence));
    const pauseMs = result.kind === 'taken' ? pauseWhileTaken(++looksWhileTaken) : pauseBefore(result, clock);
    if (pauseMs === null) return tell(logger, about, result);
    await pause(pauseMs, undefined, { signal });
  }
}

/** How long to wait before another look; null = none is worth it. */
function pauseBefore(result: AdvanceResult, clock: Clock): number | null {
  if (result.kind !== 'early') return null;
  const early = result.at - clock.nowMs();
  return early > MAX_EARLY_MS ? null : Math.min(Math.max(early, 1), LOOK_AGAIN_MS);
}

function pauseWhileTaken(looks: number): number | null {
  return looks > MAX_LOOKS_WHILE_TAKEN ? null : TAKEN_AGAIN_MS;
}

function tell(logger: Logger, about: Occurrence, result: AdvanceResult): void {
  switch (result.kind) {
    case 'done': {
      const { action, event, shortfalls } = result;
      const what = { ...about, action, status: event.status };
      if (shortfalls.length > 0)
        logger.warn({ ...what, shortfalls }, 'sale event opened with less than its allotment');
      else logger.info(what, 'sale event advanced');
      break;
    }
    case 'taken':
      logger.warn({ ...about, skus: result.skus }, 'sale event not opened: another one has its products');
      break;
    case 'missing':
      logger.warn(about, 'there is no such sale event');
      break;
    default:
      logger.debug({ ...about, ...result }, 'nothing is due for the sale event');
  }
}

function readOccurrence(content: Buffer): Occurrence {
  const body = readBody(content);
  return { eventId: readText(body, 'eventId'), occurrence: readCount(body, 'occurrence') };
}
