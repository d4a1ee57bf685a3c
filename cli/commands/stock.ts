import { Command } from 'commander';
import { REGULAR_POOL } from '../../engine/domain/pool.ts';
import type { Product } from '../../engine/domain/product.ts';
import { readProducts } from '../../engine/redis/stock-reader.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { alignColumns } from '../columns.ts';
import { CommandFailure } from '../failure.ts';
import { withSoundRedis } from '../sound-redis.ts';
import { dataOption } from './data-option.ts';
import { adjustCommand } from './stock-adjust.ts';

/** `bootakhae stock`: levels as they are in Redis now, and corrections of them. */
export function stockCommand(): Command {
  const show = new Command('show')
    .description('print what is available of each product, per pool')
    .argument('<sku...>')
    .addOption(dataOption())
    .action((skus: string[], { data }: { data: string }) => showStock(skus, data));
  return new Command('stock').description('levels of stock').addCommand(show).addCommand(adjustCommand());
}

async function showStock(skus: string[], data: string): Promise<void> {
  const products = await withSoundRedis(data, (redis) => readProducts(redis, skus, systemClock.nowMs()));
  const rows = products.flatMap((product) => (product ? rowsOf(product) : []));
  for (const line of alignColumns([['SKU', 'POOL', 'AVAILABLE'], ...rows])) console.log(line);
  const unknown = skus.filter((_, at) => !products[at]);
  if (unknown.length > 0) throw new CommandFailure(`unknown: ${unknown.join(', ')}`);
}

function rowsOf({ sku, stock, event }: Product): string[][] {
  const regular = [sku, REGULAR_POOL, String(stock)];
  return event ? [regular, [sku, event.id, String(event.stock)]] : [regular];
}
