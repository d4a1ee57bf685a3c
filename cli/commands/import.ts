import { Command, InvalidArgumentError } from 'commander';
import { MAX_PRODUCTS_OF_CALL, MAX_STOCK_UNITS } from '../../engine/domain/bounds.ts';
import type { PutOutcome } from '../../engine/domain/product.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { readCatalogueFile } from '../catalogue-file.ts';
import { submitAll } from '../submit-all.ts';
import { dataOption } from './data-option.ts';

/** `bootakhae import FILE.csv`: creates and changes products; a second run changes nothing. */
export function importCommand(): Command {
  return new Command('import')
    .description('load products from a CSV file: sku,name,price[,stock,producer,type,function,description]')
    .argument('<file>')
    .option('--stock <units>', 'first stock of new products that have none in the file', readStock, 0)
    .addOption(dataOption())
    .action(async (file: string, { stock, data }: { stock: number; data: string }) => {
      const products = await readCatalogueFile(file, stock);
      const outcomes = await submitAll(data, {
        command: putProducts,
        items: products,
        itemsOfCall: MAX_PRODUCTS_OF_CALL,
      });
      const count = (wanted: PutOutcome) => outcomes.filter((outcome) => outcome === wanted).length;
      console.log(
        `${count('created')} created, ${count('changed')} changed, ${count('unchanged')} unchanged`,
      );
    });
}

function readStock(text: string): number {
  const units = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
  if (units <= MAX_STOCK_UNITS) return units;
  throw new InvalidArgumentError(`expected a whole number from 0 to ${MAX_STOCK_UNITS}`);
}
