import { capacityOf } from './measure-overload.ts';
import { OVERLOAD } from './overload-plan.ts';
import type { OverloadRun, OverloadVerdict } from './overload-result.ts';

const KEPT = 0.8;

/** P7 for one case: at three times the capacity, is at least 80 % of the best accepted rate kept, is memory flat? */
export function judgeOverload(runs: readonly OverloadRun[]): OverloadVerdict[] {
  const overloaded = runs.find(({ multiple }) => multiple === OVERLOAD);
  if (!overloaded) return [];
  const { load } = overloaded;
  const best = Math.max(...runs.map((run) => run.load.acceptedPerSecond));
  const kept = load.acceptedPerSecond / best;
  return [
    {
      case: overloaded.case,
      best,
      overloaded: load.acceptedPerSecond,
      kept,
      offeredOfCapacity: (overloaded.ratePerSecond! - load.notOfferedPerSecond) / capacityOf(runs),
      rateHeld: kept >= KEPT,
      memoryFlat: overloaded.memory?.flat ?? null,
    },
  ];
}
