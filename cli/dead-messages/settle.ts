import { type DeadLetterQueue, type DeadMessage, isNamed } from '../../engine/broker/dead-letter-queue.ts';
import { CommandFailure } from '../failure.ts';
import { showable } from '../showable.ts';

/** Which messages a person means: those of these IDs, or all. */
export interface Choice {
  readonly ids: readonly string[];
  readonly all: boolean;
}

/** What is done to one; resolves to whether it is gone from the queue. */
export type Act = (queue: DeadLetterQueue, message: DeadMessage) => Promise<boolean>;

/**
 * Does it to each that is chosen; resolves to how many are gone. Nothing at all is done where an ID names none or
 * different ones. Throws `CommandFailure` then, and in the end if some stay.
 */
export async function settle(queue: DeadLetterQueue, { ids, all }: Choice, act: Act): Promise<number> {
  const counts = { gone: 0, staying: 0 };
  const settleOne = async (message: DeadMessage) => {
    counts[(await act(queue, message)) ? 'gone' : 'staying'] += 1;
  };
  if (all) await eachWaiting(queue, queue.count, settleOne);
  else for (const message of await findNamed(queue, ids)) await settleOne(message);
  if (counts.staying > 0) throw new CommandFailure(`${counts.staying} stay as they are`);
  return counts.gone;
}

/**
 * Takes those that wait, at most `limit` of them, and no more than there were in the beginning: what is requeued and dies
 * again would be taken once more, without end.
 */
export async function eachWaiting(
  queue: DeadLetterQueue,
  limit: number,
  visit: (message: DeadMessage) => Promise<void> | void,
): Promise<void> {
  const most = Math.min(limit, queue.count);
  for (let taken = 0; taken < most; taken += 1) {
    const message = await queue.next();
    if (!message) return;
    await visit(message);
  }
}

async function findNamed(queue: DeadLetterQueue, ids: readonly string[]): Promise<DeadMessage[]> {
  const found: DeadMessage[] = [];
  await eachWaiting(queue, queue.count, (message) => {
    if (ids.some((id) => isNamed(message, id))) found.push(message);
  });
  for (const id of ids) refuseUnclear(id, new Set(found.filter((one) => isNamed(one, id)).map(digestOf)));
  return found;
}

function refuseUnclear(id: string, digests: ReadonlySet<string>): void {
  if (digests.size === 0)
    throw new CommandFailure(
      `there is no dead message ${showable(id)}, or another shell has it in hand; nothing was done`,
    );
  if (digests.size > 1)
    throw new CommandFailure(
      `${showable(id)} is the message id of ${digests.size} different messages; nothing was done. Say which: ${[...digests].join(' ')}`,
    );
}

const digestOf = ({ digest }: DeadMessage): string => digest;
