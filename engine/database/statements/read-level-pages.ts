import { type Kysely, sql } from 'kysely';
import type { PoolOfSku } from '../../domain/pool.ts';
import type { Schema } from '../schema.ts';

/** A level and the sum of its movements; `available` null = movements without a level. All in units. */
export interface LevelRecord extends PoolOfSku {
  readonly available: number | null;
  readonly moved: number;
}

/** Walks all levels and all movements by SKU, about `count` levels a page; a SKU is never parted. */
export async function* readLevelPages(db: Kysely<Schema>, count: number): AsyncGenerator<LevelRecord[]> {
  for (let after: string | null = ''; after !== null; ) {
    const last = await readBoundary(db, after, count);
    yield await readPage(db, after, last);
    after = last;
  }
}

async function readBoundary(db: Kysely<Schema>, after: string, count: number): Promise<string | null> {
  const row = await db
    .selectFrom('stock_levels')
    .select('sku')
    .where('sku', '>', after)
    .orderBy('sku')
    .orderBy('pool')
    .limit(1)
    .offset(count - 1)
    .executeTakeFirst();
  return row?.sku ?? null;
}

async function readPage(db: Kysely<Schema>, after: string, last: string | null): Promise<LevelRecord[]> {
  const page = last === null ? sql`sku > ${after}` : sql`sku > ${after} and sku <= ${last}`;
  const { rows } = await sql<LevelRecord>`
    select sku, pool, max(available) as available, cast(sum(moved) as signed) as moved
    from (
      select sku, pool, available, 0 as moved from stock_levels where ${page}
      union all
      select sku, pool, null, sum(delta) from stock_movements where ${page} group by sku, pool
    ) as sides
    group by sku, pool`.execute(db);
  return rows;
}

/** Which of these levels are there, or have movements. */
export async function findLevels(db: Kysely<Schema>, skus: readonly string[]): Promise<PoolOfSku[]> {
  if (skus.length === 0) return [];
  const levels = db.selectFrom('stock_levels').select(['sku', 'pool']).where('sku', 'in', skus);
  const moved = db.selectFrom('stock_movements').select(['sku', 'pool']).where('sku', 'in', skus);
  return await levels.union(moved).execute();
}
