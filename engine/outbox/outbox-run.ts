import type { Database } from '../database/database.ts';
import { type Snapshot, withSnapshot } from '../database/snapshot.ts';
import { readLevelsOf } from '../database/statements/read-levels-of.ts';
import { type OutboxRow, readOutboxPages } from '../database/statements/read-outbox-pages.ts';
import { readLinesOf, readSettledOrders } from '../database/statements/read-settled-orders.ts';
import { levelField, parseLevelField } from '../domain/pool.ts';
import { decodeEntry } from '../redis/journal-stream.ts';
import { messagesOf, settledIn } from './entry-messages.ts';
import { levelChangesOf } from './level-changes.ts';
import type { OutwardMessage } from './outward-message.ts';
import { StockEdges } from './stock-edges.ts';

/** Entries of the outbox and what is told of them, in order. */
export interface OutboxPage {
  /** Ids of the first and the last of its rows. */
  readonly first: number;
  readonly last: number;
  readonly messages: readonly OutwardMessage[];
}

/** A few megabytes, however large the entries of a busy api are. */
const ROWS_OF_PAGE = 64;

/**
 * All that stood in the outbox at one instant. The levels before its first entry are what they were at that instant without all that
 * these entries do to them: so no level is kept from one run to the next, and of the levels only those are read that the run
 * changes.
 */
export class OutboxRun {
  readonly #database: Database;
  readonly #edges: StockEdges;
  readonly #firstPage: readonly OutboxRow[];
  readonly #last: number;

  private constructor(
    database: Database,
    { edges, firstPage, last }: { edges: StockEdges; firstPage: readonly OutboxRow[]; last: number },
  ) {
    this.#database = database;
    this.#edges = edges;
    this.#firstPage = firstPage;
    this.#last = last;
  }

  /**
   * Looks through the outbox after the id `after`; null when there is nothing. `threshold`: units that count as low. Rejects with
   * `UnknownFormat` or `DamagedEntry` where an entry cannot be read: nothing is passed over.
   */
  static async open(database: Database, after: number, threshold: number): Promise<OutboxRun | null> {
    return await withSnapshot(database, async ({ db }) => {
      const units = new Map<string, number>();
      let firstPage: readonly OutboxRow[] = [];
      let last = after;
      for await (const page of readOutboxPages(db, { after, count: ROWS_OF_PAGE })) {
        if (last === after) firstPage = page;
        for (const row of page) addChanges(units, row);
        last = page.at(-1)!.id;
      }
      if (last === after) return null;
      const edges = new StockEdges(await levelsBefore(db, units), threshold);
      return new OutboxRun(database, { edges, firstPage, last });
    });
  }

  /** The entries with their messages; each page only once, in order. */
  async *pages(): AsyncGenerator<OutboxPage> {
    yield await this.#tell(this.#firstPage);
    const after = this.#firstPage.at(-1)!.id;
    const { query } = this.#database;
    for await (const rows of readOutboxPages(query, { after, last: this.#last, count: ROWS_OF_PAGE }))
      yield await this.#tell(rows);
  }

  async #tell(rows: readonly OutboxRow[]): Promise<OutboxPage> {
    const entries = rows.map(decodeEntry);
    const { ids, confirmed } = settledIn(entries);
    const { query } = this.#database;
    const facts = {
      orders: await readSettledOrders(query, ids),
      lines: await readLinesOf(query, confirmed),
    };
    const messages = entries.flatMap((entry) => messagesOf(entry, this.#edges, facts));
    return { first: rows[0]!.id, last: rows.at(-1)!.id, messages };
  }
}

function addChanges(units: Map<string, number>, row: OutboxRow): void {
  for (const [field, change] of levelChangesOf(decodeEntry(row)))
    units.set(field, (units.get(field) ?? 0) + change);
}

async function levelsBefore(
  db: Snapshot['db'],
  units: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const skus = [...new Set(Array.from(units.keys(), (field) => parseLevelField(field).sku))];
  const levels = new Map<string, number>();
  for (const { available, ...level } of await readLevelsOf(db, skus)) {
    const field = levelField(level);
    const change = units.get(field);
    if (change !== undefined) levels.set(field, available - change);
  }
  return levels;
}
