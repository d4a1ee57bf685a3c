import type { Database } from '../database/database.ts';
import { Lease, LeaseLost } from '../database/lease.ts';
import { readUpcomingEvents } from '../database/statements/read-upcoming-events.ts';
import type { Clock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { runPeriodically } from '../runtime/periodic.ts';
import { Agenda, type AgendaItem, type Announcement, OVERDUE_MS } from './agenda.ts';

/** What an announcer is at; see `Announcer`. */
export const ANNOUNCER_MODES = ['STARTING', 'STANDBY', 'LEADING', 'BLIND', 'STOPPED'] as const;

export type AnnouncerMode = (typeof ANNOUNCER_MODES)[number];

/** A message as the broker takes it. */
export interface EventMessage {
  readonly routingKey: string;
  readonly body: { readonly eventId: string; readonly occurrence: number };
  readonly messageId: string;
  /** Where no queue takes it, that is no confirmation. */
  readonly mandatory: true;
}

export interface AnnouncerOptions {
  /** Best a pool of its own, which gives a statement up soon. */
  readonly database: Database;
  readonly broker: { readonly isConnected: boolean; publish(message: EventMessage): Promise<void> };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Figures of an announcer. `overdue`: steps whose time was more than 5 s ago; null while that is not known. */
export interface AnnouncerStatus {
  readonly mode: AnnouncerMode;
  readonly announced: ReadonlyMap<string, number>;
  /** ms since the last confirmed announcement; null before the first. */
  readonly lastAnnouncedAgoMs: number | null;
  readonly overdue: number | null;
  /** Events of which something is known to come. */
  readonly upcoming: number;
  readonly lastError: string | null;
}

const LEASE_SECONDS = 5;
/** Often, because an event may be created shortly before its time: what is found late is late by so much. */
const LOOK_EVERY_MS = 200;
const STANDBY_LOOKS_EVERY_MS = 500;
/** What is not done by then, whoever announces may have died over: who stands by says it too. */
const STANDBY_PATIENCE_MS = 1_000;
const LOOK_WITHIN_MS = 2_000;
const ANNOUNCE_EVERY_MS = 100;
/** How long MariaDB may be away without a sale being missed that was known before. */
const HORIZON_MS = 86_400_000;
const CONFIRM_WITHIN_MS = 5_000;
const FINISH_WITHIN_MS = 1_000;

/**
 * Says when sale events are to open and close: `event.open` and `event.close`, a second ahead. It decides nothing: who receives a message
 * does what is due by the engine's clock, once, however many messages come. So a message too many costs next to nothing, and all
 * here is about none being missed. Modes, and what leaves each:
 *
 * - STARTING: MariaDB has not been asked yet, or does not answer: nothing is known. It has the lease -> LEADING, another has
 *   it -> STANDBY.
 * - STANDBY: another announces. Looks twice a second; its lease has lapsed or was given back -> LEADING. What is not done a second
 *   after its time it announces as well: the other may have died, and its lease takes longer to lapse.
 * - LEADING: looks at MariaDB five times a second, keeps the lease, announces what is due. Another has the lease -> STANDBY;
 *   MariaDB does not answer -> BLIND. Where it was held up for longer than the lease lasts, it looks before it announces.
 * - BLIND: orders go on without MariaDB, so sales do: what was known of the next 24 hours is announced, and what must follow from
 *   it. MariaDB answers -> LEADING, or STANDBY where another has taken over meanwhile.
 * - STOPPED: final. The lease is given back.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #lease: Lease;
  readonly #agenda: Agenda;
  readonly #counts = new Map<string, number>([
    ['open', 0],
    ['close', 0],
  ]);
  readonly #publishing = new Set<Promise<void>>();
  #mode: AnnouncerMode = 'STARTING';
  #looking: Promise<void> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #announcedAt: number | null = null;
  #lastError: string | null = null;
  #stopTasks: (() => Promise<void>)[] = [];

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#lease = new Lease({ ...options, name: 'scheduler', seconds: LEASE_SECONDS });
    this.#agenda = new Agenda(options.clock);
  }

  start(): void {
    const { logger } = this.#options;
    const look = () => this.look();
    const announce = async () => this.announce();
    this.#stopTasks = [
      runPeriodically({ name: 'look for what is due', everyMs: LOOK_EVERY_MS, logger, run: look }),
      runPeriodically({ name: 'announce what is due', everyMs: ANNOUNCE_EVERY_MS, logger, run: announce }),
    ];
  }

  /** Resolves when what was being announced is, and the lease is given back: within a few seconds, whoever is away. */
  async stop(): Promise<void> {
    this.#enter('STOPPED');
    await Promise.all(this.#stopTasks.map((stop) => stop()));
    await within(FINISH_WITHIN_MS, Promise.all(this.#publishing)).catch(() => undefined);
    await within(FINISH_WITHIN_MS, this.#lease.release()).catch(() => undefined);
  }

  get status(): AnnouncerStatus {
    const now = this.#options.clock.monotonicMs();
    return {
      mode: this.#mode,
      announced: this.#counts,
      lastAnnouncedAgoMs: this.#announcedAt === null ? null : now - this.#announcedAt,
      upcoming: this.#agenda.size,
      overdue: this.#mode === 'LEADING' ? this.#agenda.overdue : null,
      lastError: this.#lastError,
    };
  }

  /** Asks MariaDB who leads and what is to come; resolves within 2 s whether it answers or not. */
  async look(): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    if (this.#mode === 'STANDBY' && now - this.#lookedAt < STANDBY_LOOKS_EVERY_MS) return;
    this.#lookedAt = now;
    try {
      this.#looking ??= this.#ask().finally(() => {
        this.#looking = null;
      });
      await within(LOOK_WITHIN_MS, this.#looking);
      this.#lastError = null;
    } catch (error) {
      this.#missed(error as Error);
    }
  }

  /** Announces what is to be announced now; what RabbitMQ does not confirm is announced again. */
  announce(): void {
    if (!this.#mayAnnounce || !this.#options.broker.isConnected) return;
    if (this.#mode === 'BLIND') this.#agenda.extend();
    for (const item of this.#agenda.toAnnounce()) {
      if (this.#mode === 'STANDBY' && !this.#isLate(item)) continue;
      const publishing = this.#publish(item).finally(() => this.#publishing.delete(publishing));
      this.#publishing.add(publishing);
    }
  }

  get #mayAnnounce(): boolean {
    if (this.#mode === 'LEADING') return this.#lease.isCurrent;
    return this.#mode === 'BLIND' || this.#mode === 'STANDBY';
  }

  #isLate({ announcement }: AgendaItem): boolean {
    return announcement.at + STANDBY_PATIENCE_MS <= this.#options.clock.nowMs();
  }

  async #ask(): Promise<void> {
    const { database, clock } = this.#options;
    const leads = await this.#holdLease();
    const events = await readUpcomingEvents(database, clock.nowMs() + HORIZON_MS);
    this.#agenda.replace(events);
    this.#enter(leads ? 'LEADING' : 'STANDBY');
    this.announce();
  }

  /** MariaDB did not answer. Said once, not with each look. */
  #missed({ message }: Error): void {
    const { logger } = this.#options;
    if (this.#mode === 'LEADING') {
      this.#enter('BLIND');
      logger.warn(
        { error: message },
        'MariaDB does not answer: announcing what was known of the next 24 hours',
      );
    } else if (this.#lastError === null && this.#mode !== 'BLIND')
      logger.warn(
        { error: message, mode: this.#mode },
        'MariaDB does not answer: what is due is not known anew',
      );
    this.#lastError = message;
  }

  async #holdLease(): Promise<boolean> {
    if (!this.#lease.isHeld) return await this.#lease.take();
    try {
      await this.#lease.renewIfDue();
      return true;
    } catch (error) {
      if (error instanceof LeaseLost) return false;
      throw error;
    }
  }

  async #publish(item: AgendaItem): Promise<void> {
    const { broker, clock, logger } = this.#options;
    const { eventId, occurrence, step, at } = item.announcement;
    const what = { eventId, occurrence, step };
    try {
      const publish = () => within(CONFIRM_WITHIN_MS, broker.publish(messageOf(item.announcement)));
      const times = await item.announce(publish);
      this.#counts.set(step, this.#counts.get(step)! + 1);
      this.#announcedAt = clock.monotonicMs();
      const said = { ...what, times, aheadMs: at - clock.nowMs() };
      if (said.aheadMs > -OVERDUE_MS) logger.info(said, 'announced');
      else logger.warn(said, 'announced again: it is overdue, as far as MariaDB says');
    } catch (error) {
      logger.warn(
        { ...what, error: (error as Error).message },
        'not announced yet: RabbitMQ does not confirm it',
      );
    }
  }

  #enter(mode: AnnouncerMode): void {
    if (this.#mode === mode || this.#mode === 'STOPPED') return;
    const { logger } = this.#options;
    if (mode === 'STANDBY') logger.info('another scheduler announces: standing by');
    if (mode === 'LEADING') logger.info({ before: this.#mode }, 'this scheduler announces what is due');
    this.#mode = mode;
  }
}

/** The same however often it is said. */
function messageOf({ eventId, occurrence, step }: Announcement): EventMessage {
  return {
    routingKey: `event.${step}`,
    body: { eventId, occurrence },
    messageId: `${eventId}.${occurrence}.${step}`,
    mandatory: true,
  };
}
