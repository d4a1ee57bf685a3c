import { Command, InvalidArgumentError } from 'commander';
import type { Database } from '../../engine/database/database.ts';
import { MAX_PRODUCTS_OF_CALL, MAX_STOCK_UNITS } from '../../engine/domain/bounds.ts';
import type { ProductToPut, PutOutcome } from '../../engine/domain/product.ts';
import { Gate } from '../../engine/journal/gate.ts';
import { Batcher } from '../../engine/redis/batcher.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { createLogger } from '../../engine/runtime/logger.ts';
import { readCatalogueFile } from '../catalogue-file.ts';
import { withDatabase, withRedis } from '../connections.ts';
import { readSurroundings } from '../surroundings.ts';
import { dataOption } from './data-option.ts';

const GATE_WITHIN_MS = 10_000;
const DEADLINE_MS = 10_000;

/** `bootakhae import FILE.csv`: creates and changes products; a second run changes nothing. */
export function importCommand(): Command {
  return new Command('import')
    .description('load products from a CSV file: sku,name,price[,stock,producer,type,function,description]')
    .argument('<file>')
    .option('--stock <units>', 'first stock of new products that have none in the file', readStock, 0)
    .addOption(dataOption())
    .action(async (file: string, { stock, data }: { stock: number; data: string }) => {
      const products = await readCatalogueFile(file, stock);
      const outcomes = await withRedis(data, (redis) =>
        withDatabase(data, (database) => putAll({ products, redis, database, data })),
      );
      const count = (wanted: PutOutcome) => outcomes.filter((outcome) => outcome === wanted).length;
      console.log(
        `${count('created')} created, ${count('changed')} changed, ${count('unchanged')} unchanged`,
      );
    });
}

interface PutAll {
  readonly products: readonly ProductToPut[];
  readonly redis: RedisClient;
  readonly database: Database;
  readonly data: string;
}

async function putAll({ products, redis, database, data }: PutAll): Promise<PutOutcome[]> {
  const { REDIS_APPENDFSYNC } = readSurroundings(data, ['REDIS_APPENDFSYNC']);
  const logger = createLogger('import', 'silent');
  const gate = new Gate({ redis, database, logger, needs: { appendfsync: REDIS_APPENDFSYNC } });
  gate.start();
  try {
    await gate.whenOpen(GATE_WITHIN_MS);
    const batcher = new Batcher({
      redis,
      clock: systemClock,
      epoch: () => gate.epoch(),
      deadlineMs: DEADLINE_MS,
      command: putProducts,
      bounds: {
        itemsOfCall: MAX_PRODUCTS_OF_CALL,
        weightOfCall: MAX_PRODUCTS_OF_CALL,
        itemsWaiting: products.length,
        waitMs: Number.POSITIVE_INFINITY,
        lanes: 1,
      },
    });
    return await Promise.all(products.map((product) => batcher.submit(product)));
  } finally {
    gate.stop();
  }
}

function readStock(text: string): number {
  const units = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
  if (units <= MAX_STOCK_UNITS) return units;
  throw new InvalidArgumentError(`expected a whole number from 0 to ${MAX_STOCK_UNITS}`);
}
