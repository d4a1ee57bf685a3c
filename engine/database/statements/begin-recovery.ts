import type { Position } from '../../domain/position.ts';
import type { Database, Transaction } from '../database.ts';

/** What is written down of a recovery before it changes anything. */
export interface RecoveryRow {
  /** Why, for people. */
  readonly cause: string;
  /** The epoch that Redis had, and where its journal ended. */
  readonly redisEpoch: number;
  readonly redisEnd: Position;
  readonly checkpoint: Position;
  /** The last entry that any process is known to have acknowledged. */
  readonly acknowledged: Position;
}

const HIGHEST = `select greatest(
    (select greatest(epoch, fence) from journal_checkpoint where id = 1),
    (select coalesce(max(epoch), 0) from recoveries)) as highest`;

const INSERT = `insert into recoveries
    (epoch, cause, redis_epoch, redis_sequence, checkpoint_epoch, checkpoint_sequence,
     acknowledged_epoch, acknowledged_sequence, started_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3))`;

const RAISE_FENCE = 'update journal_checkpoint set fence = ? where id = 1 and fence < ?';

/**
 * Takes a new epoch, higher than any that was ever in force, notes why, and raises the checkpoint's fence to it: whoever
 * read the checkpoint before commits nothing any more. Resolves to the epoch. Throws when another recovery took it.
 */
export async function beginRecoveryRow(database: Database, row: RecoveryRow): Promise<number> {
  return await database.transaction(async (transaction) => {
    const epoch = (await readHighest(transaction, row)) + 1;
    const { redisEnd, checkpoint, acknowledged } = row;
    const places = [redisEnd, checkpoint, acknowledged].map(({ epoch: of, sequence }) => [of, sequence]);
    await transaction.query(INSERT, [epoch, row.cause, ...places.flat()]);
    await transaction.query(RAISE_FENCE, [epoch, epoch]);
    return epoch;
  });
}

async function readHighest(transaction: Transaction, row: RecoveryRow): Promise<number> {
  const [{ highest }] = (await transaction.query(HIGHEST)) as [{ highest: number }];
  return Math.max(Number(highest), row.redisEpoch, row.redisEnd.epoch, row.acknowledged.epoch);
}
