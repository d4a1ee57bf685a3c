import type { UpcomingEvent } from '../database/statements/read-upcoming-events.ts';
import { nextWindow } from '../domain/recurrence.ts';
import type { Clock } from '../runtime/clock.ts';

/** Something that is to be announced: `at` is when it is to be done, ms since 1970. */
export interface Announcement {
  readonly eventId: string;
  readonly occurrence: number;
  readonly step: 'open' | 'close';
  readonly at: number;
}

/** A message goes out that long ahead, and its consumer waits for the exact time: so a slow broker makes nothing late. */
export const LEAD_MS = 1_000;
/** What is not done so long after its time is overdue. */
export const OVERDUE_MS = 5_000;

/**
 * What was announced and is not done is announced again, at ever longer intervals: a message may be lost with its queue, or be in the
 * hands of a consumer that is stopped in its tracks, which RabbitMQ notices after a while; the next message goes to another.
 */
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 300_000;
/** After an announcement that RabbitMQ did not confirm. */
const RETRY_MS = 500;

/** Of one event while MariaDB cannot say what is done. The first of them is what it said last, and is never dropped. */
const ITEMS_OF_EVENT = 8;

/** A step of an event, and what was said of it. */
export class AgendaItem {
  readonly announcement: Announcement;
  /** As it is before the step. */
  event: UpcomingEvent;
  readonly #clock: Clock;
  #announced = 0;
  #isBeingAnnounced = false;
  /** Not before that is it announced (again), by the monotonic clock. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(event: UpcomingEvent, clock: Clock) {
    this.event = event;
    this.announcement = stepOf(event);
    this.#clock = clock;
  }

  /** Its time is near, or past. */
  get isDue(): boolean {
    return this.announcement.at - LEAD_MS <= this.#clock.nowMs();
  }

  /** It should have been done a while ago. */
  get isOverdue(): boolean {
    return this.announcement.at + OVERDUE_MS <= this.#clock.nowMs();
  }

  /** It is to be announced now. */
  get isToAnnounce(): boolean {
    if (!this.isDue) {
      // It may have been before the clock went back: its consumers have forgotten it.
      this.#announced = 0;
      this.#notBefore = Number.NEGATIVE_INFINITY;
    }
    return this.isDue && !this.#isBeingAnnounced && this.#clock.monotonicMs() >= this.#notBefore;
  }

  /**
   * Says it by `publish`. Resolves to how often it was confirmed by then. Rejects as `publish` does; it is to be announced
   * again soon then.
   */
  async announce(publish: (announcement: Announcement) => Promise<void>): Promise<number> {
    this.#isBeingAnnounced = true;
    try {
      await publish(this.announcement);
      this.#announced += 1;
      const untilDueMs = Math.max(0, this.announcement.at - this.#clock.nowMs());
      this.#notBefore = this.#clock.monotonicMs() + untilDueMs + pauseAfter(this.#announced);
      return this.#announced;
    } catch (error) {
      this.#notBefore = this.#clock.monotonicMs() + RETRY_MS;
      throw error;
    } finally {
      this.#isBeingAnnounced = false;
    }
  }
}

/**
 * What sale events are about to do, when, and what of it was announced. It knows no servers: `replace` gives it what MariaDB
 * says, `toAnnounce` says what is to be announced now.
 *
 * Of each event there is one item, the next step of the occurrence that it is at, until MariaDB says that the step is done, or
 * that the event is another. While MariaDB cannot say so, `extend` adds what must follow: the close after the opening, the
 * next window after the close. A time that moves, with the event or with the wall clock, makes an item new: what is not due any more
 * will be announced again when it is.
 */
export class Agenda {
  readonly #clock: Clock;
  #items = new Map<string, AgendaItem[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is to come as MariaDB knows it; all else is forgotten. */
  replace(events: readonly UpcomingEvent[]): void {
    const before = this.#items;
    this.#items = new Map(events.map((event) => [event.id, [this.#itemOf(event, before.get(event.id))]]));
  }

  /** Adds what follows the steps that are due, on the assumption that they are done. */
  extend(): void {
    for (const items of this.#items.values()) {
      for (let last = items.at(-1)!; last.isDue; last = items.at(-1)!) {
        const next = following(last.event);
        if (!next) break;
        items.push(new AgendaItem(next, this.#clock));
      }
      if (items.length > ITEMS_OF_EVENT) items.splice(1, items.length - ITEMS_OF_EVENT);
    }
  }

  /** What is to be announced now. */
  toAnnounce(): AgendaItem[] {
    return [...this.#items.values()].flat().filter(({ isToAnnounce }) => isToAnnounce);
  }

  /** How many events are on it. */
  get size(): number {
    return this.#items.size;
  }

  /** How many steps are not done though their time was a while ago. */
  get overdue(): number {
    return [...this.#items.values()].flat().filter(({ isOverdue }) => isOverdue).length;
  }

  #itemOf(event: UpcomingEvent, known: readonly AgendaItem[] = []): AgendaItem {
    const same = known.find(({ announcement }) => isSame(announcement, stepOf(event)));
    if (!same) return new AgendaItem(event, this.#clock);
    same.event = event;
    return same;
  }
}

function stepOf({ id: eventId, occurrence, status, startsAt, endsAt }: UpcomingEvent): Announcement {
  return status === 'scheduled'
    ? { eventId, occurrence, step: 'open', at: startsAt }
    : { eventId, occurrence, step: 'close', at: endsAt };
}

function isSame(one: Announcement, other: Announcement): boolean {
  return one.occurrence === other.occurrence && one.step === other.step && one.at === other.at;
}

/** The event when its next step is done; null when nothing comes after it. */
function following(event: UpcomingEvent): UpcomingEvent | null {
  if (event.status === 'scheduled') return { ...event, status: 'open' };
  const window = event.repeat && nextWindow(event.repeat, event.endsAt);
  return window && { ...event, ...window, status: 'scheduled', occurrence: event.occurrence + 1 };
}

/** After its time, or the announcement where that is later. */
function pauseAfter(announced: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (announced - 1), LONGEST_PAUSE_MS);
}
