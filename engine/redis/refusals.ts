/**
 * What an error reply of Redis says of the script call that got it. docs/RELIABILITY.md, "What Redis may answer", has
 * the table with the reasons.
 *
 * - `passing`: it did not run, and the very same call may do in a moment.
 * - `refused`: it did not run, and will not as things stand.
 * - `mistaken`: it did not run because its caller made a mistake.
 * - `broken`: it ran, and stopped somewhere: what it wrote before that stands.
 */
export type Refusal = 'passing' | 'refused' | 'mistaken' | 'broken';

/** Redis is there but busy with itself. */
const PASSING = /^(LOADING|BUSY|TRYAGAIN|MASTERDOWN|CLUSTERDOWN)\b/;
/** Our own scripts' way of saying that this process made a mistake. */
const MISTAKES = /^(MALFORMED|FORMAT|STALE)\b/;
/** Our scripts' way of saying that the journal is not there: it is their first write, so nothing was written. */
const GONE = /^LOST\b/;
/** Redis adds this to an error that a script did not return but ran into. */
const INSIDE_SCRIPT = / script: [0-9a-f]{40}, on @/;
/** Redis kills no script that has written. */
const KILLED = /^ERR Script killed by user/;
/** Redis refuses what writes, and still tells what is there; what it tells is on disk. */
const WRITES_REFUSED = /^(OOM|MISCONF)\b/;

/** Sorts the message of an error reply. */
export function sortRefusal(message: string): Refusal {
  if (PASSING.test(message)) return 'passing';
  if (MISTAKES.test(message)) return 'mistaken';
  if (GONE.test(message)) return 'refused';
  return INSIDE_SCRIPT.test(message) && !KILLED.test(message) ? 'broken' : 'refused';
}

/** Whether a call that was refused like this can still be asked about by reading. */
export function areReadsAnswered(message: string): boolean {
  return WRITES_REFUSED.test(message);
}
