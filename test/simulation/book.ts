import type { Command, DrawnEvent, DrawnSettlement } from './commands.ts';
import { expectedTotal } from './expected-total.ts';
import type { AskedEvent, AskedItem } from './model/events.ts';
import type { AskedSettlement } from './model/settlements.ts';
import type { EntryOrder, ModelEntry, Status } from './model/state.ts';
import type { Call } from './script-arguments.ts';
import type { WholeState } from './whole-state.ts';

/** Settlements are about one of so many orders, the newest, so that several are about the same. */
const RECENT = 3;

/**
 * Every entry that the journal ever had, trimmed or not: what MariaDB would have been told. It knows which readings of
 * an order a caller may have in hand, and turns drawn commands into calls that a real caller could make.
 */
export class Book {
  readonly entries: ModelEntry[] = [];
  /** The last entry that MariaDB has; -1 = none. */
  committed = -1;
  readonly #orders: EntryOrder[] = [];
  /** Event id -> what it offered when it was opened last. */
  readonly #opened = new Map<string, readonly AskedItem[]>();
  #revision = 0;
  #now: WholeState;

  constructor(now: WholeState) {
    this.#now = now;
  }

  /** Takes in what is there after a call. */
  learn(now: WholeState): void {
    this.#now = now;
    for (const entry of now.entries) {
      if (entry.sequence < this.entries.length) continue;
      this.entries.push(entry);
      if (entry.kind === 'orders') this.#orders.push(...entry.orders);
      if (entry.kind === 'events') this.#revision += 1;
      if (entry.kind === 'events' && entry.action === 'open')
        this.#opened.set(entry.event, readItems(entry.record));
    }
  }

  /** The call that the command stands for now, or null when there is nothing yet that it could be about. */
  toCall(command: Command, at: number): Call | null {
    const last = this.entries.length - 1;
    switch (command.script) {
      case 'place-orders':
        return {
          ...{ ...command, at },
          orders: command.orders.map((order) => ({
            ...order,
            expectedTotal: expectedTotal(order, this.#now, at),
          })),
        };
      case 'change-event':
        return { ...command, at, ...this.#event(command, at) };
      case 'settle-orders':
        if (this.#orders.length === 0) return null;
        return { ...command, at, settlements: command.settlements.map((drawn) => this.#settlement(drawn)) };
      case 'trim-journal':
        if (last < 0) return null;
        return { ...command, at, ...this.#trim(last - (command.upTo % (last + 1)), command.restarted) };
      case 'pin-journal':
        if (last < 0) return null;
        return { ...command, at, sequence: command.after % (last + 1), untilMs: at + command.forMs };
      default:
        return { ...command, at };
    }
  }

  /** A writer that was restarted reads what to forget from the journal; one that went on may name what is long gone. */
  #trim(committed: number, restarted: boolean) {
    this.committed = Math.max(this.committed, committed);
    const settled = (restarted ? this.#now.entries : this.entries)
      .filter(({ sequence }) => sequence <= committed)
      .flatMap((entry) =>
        entry.kind === 'settlements'
          ? entry.settlements.map(({ place }) => ({ sequence: entry.sequence, place }))
          : [],
      );
    return { committed, settled };
  }

  #event(
    drawn: DrawnEvent,
    at: number,
  ): Pick<AskedEvent, 'items' | 'record' | 'revision' | 'deltas'> & Times {
    const { event, action, isFitting, isStale } = drawn;
    const opened = action !== 'open' && isFitting ? this.#opened.get(event) : undefined;
    const items = opened ?? drawn.items;
    const startsAt = at + drawn.startsInMs;
    const times = { startsAt, endsAt: startsAt + drawn.lastsMs };
    const record = writeRecord({ ...drawn, items, ...times });
    const revision = Math.max(0, this.#revision - (isStale ? 1 : 0));
    const deltas = action === 'adjust' ? drawn.units.slice(0, items.length) : [];
    return { items, ...times, record, revision, deltas };
  }

  /**
   * A caller reads an order in the journal, as its own entry tells it, or in MariaDB, as of any entry that was the last
   * one committed once; and before that it may have seen a mark that is newer. Whatever it read may be long out of date.
   */
  #settlement({ order, action, read, mark, token, reason }: DrawnSettlement): AskedSettlement {
    const { place, lines, user } = this.#orders.at(-1 - (order % Math.min(this.#orders.length, RECENT)))!;
    const own = Number(place.split('-')[1]);
    const asOf = own + (read % (Math.max(this.committed - own, 0) + 1));
    const seen = mark === null ? asOf : asOf + (mark % (this.entries.length - asOf));
    return { place, action, status: this.statusOf(place, seen), lines, asOf, user, token, reason };
  }

  /** What the order was as of an entry. */
  statusOf(place: string, asOf: number): Status {
    let status: Status = 'placed';
    for (const entry of this.entries.slice(0, asOf + 1)) {
      const told =
        entry.kind === 'orders' ? entry.orders : entry.kind === 'settlements' ? entry.settlements : [];
      // A call may confirm an order and cancel it: the last word of an entry holds.
      status = told.findLast((each) => each.place === place)?.status ?? status;
    }
    return status;
  }
}

interface Times {
  readonly startsAt: number;
  readonly endsAt: number;
}

const STATUSES = { record: 'scheduled', open: 'open', close: 'closed', adjust: 'open' } as const;

/** The JSON of an event, as it is kept: its hold in whole seconds, where the scripts are given milliseconds. */
function writeRecord(
  event: Times & {
    event: string;
    action: keyof typeof STATUSES;
    holdMs: number;
    items: readonly AskedItem[];
  },
): string {
  const items = event.items.map(({ limit, ...item }) => ({ ...item, limitPerUser: limit || null }));
  return JSON.stringify({
    name: `the sale ${event.event}`,
    ...{ startsAt: event.startsAt, endsAt: event.endsAt },
    ...{ status: STATUSES[event.action], holdSeconds: Math.ceil(event.holdMs / 1_000), items },
    ...{ repeat: null, occurrence: 1 },
  });
}

function readItems(record: string): AskedItem[] {
  const { items } = JSON.parse(record) as {
    items: { sku: string; stock: number; price: number; limitPerUser: number | null }[];
  };
  return items.map(({ limitPerUser, ...item }) => ({ ...item, limit: limitPerUser ?? 0 }));
}
