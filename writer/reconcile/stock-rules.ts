import type { LevelRecord } from '../../engine/database/statements/read-level-pages.ts';
import { levelField, type PoolOfSku, parseLevelField, REGULAR_POOL } from '../../engine/domain/pool.ts';
import { type Drift, driftOf, minus } from './drift.ts';
import type { Rule, Sides } from './rule.ts';
import { NO_COMPENSATION } from './tally.ts';

/** A level in MariaDB and what makes it up: movements less units in live orders. All in units. */
export interface KeptLevel extends Pick<LevelRecord, 'available' | 'moved'> {
  readonly ordered: number;
}

/** Levels, by level field. */
export const levelRule: Rule<KeptLevel, number> = {
  *touched({ created, deltas }) {
    yield* created.keys();
    yield* deltas.keys();
  },

  expect(field, kept, { created, deltas }) {
    const base = created.get(field) ?? kept?.available ?? undefined;
    const delta = deltas.get(field);
    return base === undefined && delta === undefined ? undefined : (base ?? 0) + (delta ?? 0);
  },

  judge(field, sides) {
    const level = parseLevelField(field);
    return [...compareLevel(level, sides), ...compareLedger(level, sides)];
  },
};

function compareLevel(level: PoolOfSku, { redis, kept, expected }: Sides<KeptLevel, number>): Drift[] {
  const [has, wanted] = [redis ?? nothing(level), expected ?? nothing(level)];
  const sides = { ...level, redis: has, database: kept?.available ?? null };
  const drifts: Drift[] = [];
  // NaN, for a level that is no number, is equal to nothing.
  if (has !== wanted)
    drifts.push({ ...sides, kind: 'level', expected: wanted, difference: minus(has, wanted) });
  if (has !== null && has < 0) drifts.push({ ...sides, kind: 'negative', expected: 0, difference: has });
  return drifts;
}

/** What a level that is not there says: an event's pool goes when it is closed, a product's never. */
function nothing({ pool }: PoolOfSku): number | null {
  return pool === REGULAR_POOL ? null : 0;
}

/**
 * The backlog changes both sides of this equation alike, whatever is in it; but a compensation may change them differently,
 * and one that MariaDB does not have yet is added to both.
 */
function compareLedger(level: PoolOfSku, sides: Sides<KeptLevel, number>): Drift[] {
  const { redis, kept } = sides;
  if (!kept) return [];
  const pending = sides.tally.compensations.get(levelField(level)) ?? NO_COMPENSATION;
  const database = kept.available === null ? null : kept.available + pending.level;
  const expected = kept.moved + pending.movement - kept.ordered;
  if (database === expected) return [];
  const figures = { redis: redis ?? null, database, expected, difference: minus(database, expected) };
  return [driftOf({ ...level, kind: 'ledger', ...figures })];
}
