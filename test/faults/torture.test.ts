import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CATALOGUE, kindsOf } from './kinds/catalogue.ts';
import { describeSummary, isClean, torture } from './torture.ts';

/** `npm run torture` (test/faults/torture.mjs); `npm test` has rounds.test.ts instead. */
const { TORTURE_MINUTES, TORTURE_ROUNDS, TORTURE_SEED, TORTURE_ONLY, TORTURE_REPORT } = process.env;
const minutes = Number(TORTURE_MINUTES ?? 0);
/** The last round, and what it takes to start and to end. */
const BEYOND_MS = 300_000;

test.runIf(TORTURE_MINUTES)(
  'P1-P6: whatever breaks, and whenever, the books are right when it is mended',
  async () => {
    const summary = await torture({
      ...{ seed: Number(TORTURE_SEED), minutes, rounds: Number(TORTURE_ROUNDS || Number.POSITIVE_INFINITY) },
      kinds: TORTURE_ONLY ? kindsOf(TORTURE_ONLY.split(',')) : CATALOGUE,
      onProgress: (line) => console.log(line),
    });
    console.log(`\n${describeSummary(summary)}\n`);
    if (TORTURE_REPORT) writeFileSync(TORTURE_REPORT, `${JSON.stringify(summary, null, 2)}\n`);
    expect(isClean(summary), 'every promise was kept').toBe(true);
  },
  minutes * 60_000 + BEYOND_MS,
);
