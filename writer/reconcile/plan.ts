import { levelField, type PoolOfSku, REGULAR_POOL } from '../../engine/domain/pool.ts';
import type { Compensation } from '../../engine/journal/entry.ts';
import type { Drift } from './drift.ts';

/** What can be done about drifts: compensations that make sides agree, and what is left for a person, with the advice. */
export interface Plan {
  readonly compensations: readonly Compensation[];
  readonly unfixed: readonly Unfixed[];
}

export interface Unfixed {
  readonly drift: Drift;
  /** What to do about it. */
  readonly advice: string;
}

/**
 * Decides about each SKU and pool by three statements of the same number: Redis's level, MariaDB's level, and MariaDB's movements less
 * live orders; the first and the others with what the backlog has between them. The differences of the three do not change while orders flow, so units that are
 * added now close them later too. If two agree, the third is off; if all differ, movements and orders hold: they say why.
 */
export function planFixes(drifts: readonly Drift[], reason: string): Plan {
  const compensations: Compensation[] = [];
  const unfixed: Unfixed[] = [];
  const unsettled = UNSETTLED.find(({ kind }) => drifts.some((drift) => drift.kind === kind));
  for (const found of groupByLevel(drifts)) {
    const advice = unsettled?.advice ?? whyNot(found);
    if (advice === null) compensations.push(compensate(found, reason));
    else unfixed.push(...found.drifts.map((drift) => ({ drift, advice })));
  }
  for (const drift of drifts.filter(({ kind }) => !isOfLevel(kind)))
    unfixed.push({ drift, advice: ADVICE[drift.kind] ?? REBUILD });
  return { compensations, unfixed };
}

interface Imbalance extends PoolOfSku {
  readonly drifts: readonly Drift[];
  /** Redis less MariaDB's level; null = one of the two has none. */
  readonly redisLessLevel: number | null;
  /** MariaDB's level less its movements and orders. */
  readonly levelLessLedger: number | null;
}

const isOfLevel = (kind: Drift['kind']) => kind === 'level' || kind === 'ledger' || kind === 'negative';

function groupByLevel(drifts: readonly Drift[]): Imbalance[] {
  const groups = new Map<string, Drift[]>();
  for (const drift of drifts.filter(({ kind }) => isOfLevel(kind))) {
    const field = levelField({ sku: drift.sku!, pool: drift.pool! });
    groups.set(field, [...(groups.get(field) ?? []), drift]);
  }
  return [...groups.values()].map((found) => {
    const [level, ledger] = (['level', 'ledger'] as const).map((kind) =>
      found.find((drift) => drift.kind === kind),
    );
    return {
      ...{ sku: found[0]!.sku!, pool: found[0]!.pool!, drifts: found },
      redisLessLevel: level ? level.difference : 0,
      levelLessLedger: ledger ? ledger.difference : 0,
    };
  });
}

function deltasOf({ redisLessLevel, levelLessLedger }: Imbalance) {
  const [a, b] = [redisLessLevel!, levelLessLedger!];
  // Redis and MariaDB's level agree: what is missing is a movement that says why.
  if (a === 0) return { redisDelta: 0, levelDelta: 0, movementDelta: b };
  return { redisDelta: minusOf(a + b), levelDelta: minusOf(b), movementDelta: 0 };
}

/** Never -0, which MessagePack would write as a float. */
const minusOf = (units: number) => 0 - units;

function compensate(imbalance: Imbalance, reason: string): Compensation {
  const { sku, pool } = imbalance;
  return { sku, pool, ...deltasOf(imbalance), reason };
}

function whyNot(imbalance: Imbalance): string | null {
  const { redisLessLevel: a, levelLessLedger: b, drifts, pool } = imbalance;
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b))
    return `one side does not know this ${pool === REGULAR_POOL ? 'SKU' : 'pool'}: find out which is right; if it is MariaDB, ${REBUILD}`;
  if (a === 0 && b === 0) return NEGATIVE;
  const redis = drifts[0]!.redis;
  if (redis !== null && redis + deltasOf(imbalance).redisDelta < 0)
    return 'they would agree below zero, so more was sold than there is: add stock first (bootakhae stock adjust)';
  return null;
}

const REBUILD = 'bootakhae recover rebuilds Redis from MariaDB';
const NEGATIVE = 'more was sold than there is, all sides say so: add stock (bootakhae stock adjust)';
/** What levels may be off because of, and must be settled before anything is compensated: else it would be made good twice. */
const UNSETTLED: readonly { readonly kind: Drift['kind']; readonly advice: string }[] = [
  {
    kind: 'journal',
    advice:
      'the effect of a journal entry is missing or not known (see the drift `journal`): what is off because of it must not be compensated before that is settled',
  },
  {
    kind: 'order_total',
    advice:
      'orders or their lines were changed in MariaDB (see the drift `order_total`): what is off because of it must not be compensated before they are restored',
  },
  {
    kind: 'dead_letter',
    advice:
      'an entry waits to be replayed or dropped (see the drift `dead_letter`): what is off because of it must not be compensated before that is settled',
  },
];
const ADVICE: Partial<Record<Drift['kind'], string>> = {
  order_total:
    'MariaDB was changed by somebody else than the writer: restore the order or its lines from a backup, no compensation can',
  journal: 'entries are missing or damaged; do not trim; see docs/RUNBOOK.md, and bootakhae recover',
  dead_letter: 'MariaDB refused it: bootakhae dead-letters list, then replay or drop',
};
