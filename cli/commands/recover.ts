import { Command } from 'commander';
import { systemClock } from '../../engine/runtime/clock.ts';
import { type Recovery, RecoveryRefused, recover } from '../../writer/recovery/recover.ts';
import { withDatabase, withRedis } from '../connections.ts';
import { CommandFailure } from '../failure.ts';
import { readSurroundings } from '../surroundings.ts';
import { dataOption } from './data-option.ts';

interface RecoverCommandOptions {
  readonly json?: boolean;
  readonly acceptLoss?: boolean;
  readonly data: string;
}

/** `bootakhae recover`: rebuilds Redis from MariaDB and the journal; exits with 0 when it is done, else 1. */
export function recoverCommand(): Command {
  return new Command('recover')
    .description('rebuild Redis from MariaDB and the journal, begin a new epoch, let orders in')
    .option('--accept-loss', 'go on although acknowledged orders are known to be lost by it')
    .option('--json', 'print the result as JSON')
    .addOption(dataOption())
    .action(async (options: RecoverCommandOptions) => {
      const recovery = await run(options);
      console.log(options.json ? JSON.stringify(recovery) : describe(recovery));
    });
}

async function run({ json, acceptLoss = false, data }: RecoverCommandOptions): Promise<Recovery> {
  const { REDIS_APPENDFSYNC: appendfsync } = readSurroundings(data, ['REDIS_APPENDFSYNC']);
  const onProgress = (line: string) => {
    if (!json) console.error(line);
  };
  try {
    return await withRedis(data, (redis) =>
      withDatabase(data, (database) =>
        recover({ redis, database, clock: systemClock, needs: { appendfsync }, acceptLoss, onProgress }),
      ),
    );
  } catch (error) {
    if (error instanceof RecoveryRefused) throw new CommandFailure(`not recovered: ${error.message}`);
    throw error;
  }
}

function describe(recovery: Recovery): string {
  const { epoch, committed, acknowledged, isLossKnown, seconds } = recovery;
  const counts = `${recovery.products} products, ${recovery.levels} levels, ${recovery.wishlists} wishlists, ${recovery.holds} holds, ${recovery.idempotencyKeys} idempotency keys`;
  const loss = isLossKnown
    ? `LOST: entries after ${committed}; some up to ${acknowledged} were acknowledged`
    : `nothing is known to have been acknowledged after ${committed}`;
  return `recovered: epoch ${epoch}, ${counts}, in ${seconds} s\n${loss}`;
}
