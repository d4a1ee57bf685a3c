/**
 * A place in the journal. The epoch is the fencing token that recovery bumps; within an epoch the sequence counts
 * up by exactly one an entry, so that a missing entry shows.
 */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * How far MariaDB has the journal. `fence` is raised by every recovery: whoever read the checkpoint before one, and was
 * held up since, finds another fence and changes nothing.
 */
export interface Checkpoint extends Position {
  readonly fence: number;
}

/** Before the first entry of the first epoch, which is 1-0. */
export const ORIGIN: Position = { epoch: 0, sequence: 0 };

/** Negative when `a` comes before `b`, 0 when they are the same, positive when it comes after. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.sequence - b.sequence;
}

/** The journal id of a position, as Redis spells it: `epoch-sequence`. */
export function formatPosition(position: Position): string {
  return `${position.epoch}-${position.sequence}`;
}

/** Reads a journal id. Throws when `id` is not `epoch-sequence`. */
export function parsePosition(id: string): Position {
  const match = /^(\d+)-(\d+)$/.exec(id);
  if (!match) throw new Error(`"${id}" is not a journal id: expected epoch-sequence, for example 1-42`);
  return { epoch: Number(match[1]), sequence: Number(match[2]) };
}

/** Whether `next` is the entry right after `last`: the next sequence, or the first of a later epoch. */
export function follows(last: Position, next: Position): boolean {
  if (next.epoch === last.epoch) return next.sequence === last.sequence + 1;
  return next.epoch > last.epoch && next.sequence === 0;
}
