import { expect, test } from 'vitest';
import { areReadsAnswered, sortRefusal } from './refusals.ts';

const INSIDE = 'script: b55427c3b27093396d7d143a14c95c5785d9103f, on @user_script:2.';

/** Word for word as Redis 7.0 says them. */
test.each([
  ['LOADING Redis is loading the dataset in memory', 'passing'],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'passing'],
  ['MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.', 'passing'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'refused'],
  ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist', 'refused'],
  ["READONLY You can't write against a read only replica.", 'refused'],
  ['NOREPLICAS Not enough good replicas to write.', 'refused'],
  ['NOPERM this user has no permissions', 'refused'],
  ['FENCED the epoch is 2, the call is of 1', 'refused'],
  [`ERR Script killed by user with SCRIPT KILL... ${INSIDE}`, 'refused'],
  ['MALFORMED order 1 has no user', 'mistaken'],
  ['STALE the lane is at 9, the call is 1', 'mistaken'],
  [`WRONGTYPE Operation against a key holding the wrong kind of value ${INSIDE}`, 'broken'],
  [`ERR user_script:2: attempt to concatenate a nil value ${INSIDE}`, 'broken'],
] as const)('%s: %s', (message, refusal) => {
  expect(sortRefusal(message)).toBe(refusal);
});

test('a demoted Redis is not believed about what it has: its data may be thrown away', () => {
  expect(areReadsAnswered("READONLY You can't write against a read only replica.")).toBe(false);
  expect(areReadsAnswered("OOM command not allowed when used memory > 'maxmemory'.")).toBe(true);
});
