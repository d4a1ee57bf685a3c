import { setTimeout as pause } from 'node:timers/promises';
import { KEYS } from '../../engine/redis/keys.ts';
import { within } from '../../engine/runtime/deadline.ts';
import type { Fault as Violation } from '../simulation/ledger.ts';
import { consultOracle } from '../simulation/oracle.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import type { FaultKind } from './kinds/fault.ts';
import { Load } from './load.ts';
import { carryOut, describeFault, drawPlan, type PlannedFault } from './plan.ts';
import { SEEN_AFTER_MS } from './rig/fake-clock.ts';
import { PROCESS_NAMES, type Rig } from './rig/rig.ts';

export interface RoundOptions {
  readonly seed: number;
  /** Tells this round's names from those of all others on the same servers. */
  readonly name: string;
  /** One fault of each. */
  readonly kinds: readonly FaultKind[];
}

/** What came of a round; `stuck`: something that did not come back when all was healed. */
export interface RoundResult {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly string[];
  /** Requests in all, orders that were acknowledged, requests that had no answer, and their orders that were found. */
  readonly requests: number;
  readonly acknowledged: number;
  readonly unanswered: number;
  readonly unansweredFound: number;
  /** Acknowledged orders that a power cut took, and that recovery named. */
  readonly takenByPowerCuts: number;
  readonly violations: Readonly<Partial<Record<Violation | 'stuck', number>>>;
  /** The first violations, in words. */
  readonly descriptions: readonly string[];
}

const DRAINED_WITHIN_MS = 45_000;
const LOOK_EVERY_MS = 50;
/** The longest hold, and requests that wait for their last answer. */
const USERS_LEAVE_WITHIN_MS = 120_000;
/** Further than any clock was ahead when it held an order. */
const WAY_AHEAD_S = 7_200;

/**
 * One round: a sale, the faults of its seed in the middle of it, and when they are healed the books: everybody serves again
 * by themselves, the journal is drained, nobody was told anything but the truth, and Redis and MariaDB agree.
 */
export async function runRound(rig: Rig, { seed, name, kinds }: RoundOptions): Promise<RoundResult> {
  const startMs = performance.now();
  const plan = drawPlan(rig, new SeededRandom(seed), kinds);
  const isTimeTrue = kinds.every(({ disturbs }) => disturbs !== 'clock');
  const hasSales = kinds.every(({ disturbs }) => disturbs === undefined);
  const load = new Load({ seed, prefix: `${name}/`, urls: rig.urls, hasSales, isTimeTrue });
  load.ledger.keepsWishlistOrder = kinds.every(({ disturbs }) => disturbs !== 'history');
  const stuck: string[] = [];
  try {
    await load.loadShop();
    await isDrained(rig);
    await rewriteAppendOnlyFile(rig);
    const selling = load.run();
    await carryOut(plan, load.ledger).finally(() => load.stop());
    await within(USERS_LEAVE_WITHIN_MS, selling);
    stuck.push(...(await comeToRest(rig, load)));
    const { redis, database } = rig;
    await consultOracle({ ledger: load.ledger, shop: load.shop, redis, database, prefix: `${name}/` });
  } catch (error) {
    stuck.push(String((error as Error).stack));
  } finally {
    load.disconnect();
  }
  return summarize({ seed, startMs, plan }, load, stuck);
}

/** Until everybody serves and MariaDB has the whole journal; what does not come about, in words. */
async function comeToRest(rig: Rig, load: Load): Promise<string[]> {
  try {
    await rig.whenReady();
    await load.closeSales();
    if (!load.ledger.isTimeTrue) await letTimePass(rig);
    if (await isDrained(rig)) return [];
    const logs = PROCESS_NAMES.map((name) => `${name}:${rig.process(name).lastLines}`);
    return [`MariaDB lacks entries ${DRAINED_WITHIN_MS} ms after the last fault\n${logs.join('\n')}`];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** A hold that a clock which was ahead has given ends when all clocks are there. */
async function letTimePass(rig: Rig): Promise<void> {
  for (const clock of rig.clocks.values()) clock.set(WAY_AHEAD_S);
  await until(async () => (await rig.redis.zcard(KEYS.holds)) === 0);
  for (const clock of rig.clocks.values()) clock.set(0);
  // The next round's holds must not be given by a clock that is still ahead.
  await pause(SEEN_AFTER_MS);
}

function isDrained({ redis }: Rig): Promise<boolean> {
  return until(async () => (await redis.zcard(KEYS.holds)) === 0 && (await redis.xlen(KEYS.journal)) === 0);
}

/** So that it does not grow for ever, and what a power cut takes of it stands in one file. */
async function rewriteAppendOnlyFile({ redis }: Rig): Promise<void> {
  await redis.bgrewriteaof();
  await until(async () => {
    const state = await redis.info('persistence');
    return ['in_progress', 'scheduled'].every((name) => state.includes(`aof_rewrite_${name}:0`));
  });
}

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  for (const endMs = performance.now() + DRAINED_WITHIN_MS; performance.now() < endMs; ) {
    if (await isSo()) return true;
    await pause(LOOK_EVERY_MS);
  }
  return false;
}

function summarize(
  { seed, startMs, plan }: { seed: number; startMs: number; plan: readonly PlannedFault[] },
  { ledger }: Load,
  stuck: readonly string[],
): RoundResult {
  return {
    seed,
    seconds: (performance.now() - startMs) / 1_000,
    faults: plan.map(describeFault),
    requests: ledger.requests,
    acknowledged: ledger.orders.size,
    unanswered: ledger.withoutAnswer,
    unansweredFound: ledger.unknownFound,
    takenByPowerCuts: ledger.taken.size,
    violations: { ...Object.fromEntries(ledger.faults), ...(stuck.length > 0 && { stuck: stuck.length }) },
    descriptions: [...stuck, ...ledger.descriptions],
  };
}
