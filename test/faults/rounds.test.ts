import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLOCKS } from './kinds/clocks.ts';
import { DATABASE } from './kinds/database.ts';
import { DISKS } from './kinds/disks.ts';
import type { FaultKind } from './kinds/fault.ts';
import { INTERRUPTIONS } from './kinds/interruptions.ts';
import { NETWORK } from './kinds/network.ts';
import { POWER } from './kinds/power.ts';
import { KILLS, PAUSES } from './kinds/processes.ts';
import { Rig } from './rig/rig.ts';
import { runRound } from './round.ts';

/**
 * The torture in short: every kind of fault once, over a sale. As long as you like with `npm run torture`. FAULTS_SEED
 * replays a seed. What this machine cannot do (mounting takes root, jumping clocks libfaketime) is left out and said;
 * with FAULTS_MUST_RUN, which .ci/run sets, it fails instead.
 */
const SEED = Number(process.env.FAULTS_SEED ?? 20_260_101);
const ROUND_MS = 150_000;
const [LONG_PAUSES, SHORT_PAUSES] = [true, false].map((isLong) =>
  PAUSES.filter(({ name }) => (name === 'pause-writer') === isLong),
) as [FaultKind[], FaultKind[]];
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});

afterAll(async () => {
  expect(await rig?.stop(), 'processes that did not stop cleanly').toEqual([]);
});

/** Those that can be produced here. */
function able(kinds: readonly FaultKind[]): FaultKind[] {
  return kinds.filter((kind) => {
    const lack = kind.lacks?.(rig) ?? null;
    if (process.env.FAULTS_MUST_RUN) expect(lack, kind.name).toBeNull();
    if (lack) console.warn(`LEFT OUT ${kind.name}: ${lack}`);
    return lack === null;
  });
}

describe('P1-P6: the books are right when it is mended', () => {
  test.each([
    { name: 'kills', what: 'kills and interruptions', kinds: [...KILLS, ...INTERRUPTIONS] },
    { name: 'networks', what: 'pauses and networks', kinds: [...SHORT_PAUSES, ...NETWORK] },
    {
      name: 'database',
      what: 'a MariaDB that refuses or stalls, a writer paused past its lease',
      kinds: [...DATABASE, ...LONG_PAUSES],
    },
    { name: 'disks', what: 'full disks and jumping clocks', kinds: [...DISKS, ...CLOCKS] },
    { name: 'power', what: 'power cuts', kinds: POWER },
  ])(
    '$what',
    async ({ name, kinds }) => {
      const result = await runRound(rig, { seed: SEED, name, kinds: able(kinds) });
      expect(result.descriptions, `FAULTS_SEED=${SEED}, ${result.faults.join('; ')}`).toEqual([]);
      expect(result.violations).toEqual({});
      expect(result.acknowledged).toBeGreaterThan(50);
      expect(rig.deaths, 'processes that ended by themselves').toEqual([]);
    },
    ROUND_MS,
  );
});
