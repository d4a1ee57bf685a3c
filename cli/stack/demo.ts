import { join } from 'node:path';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { type ProgramSurroundings, runCommand } from './programs.ts';

/** A product of the demo catalogue, for the example that is printed. */
export const DEMO_SKU = '22423';

const STOCK_OF_EACH = 1_000;

/** Loads the demo catalogue; products that are there already stay as they are. */
export function loadDemoCatalogue(surroundings: ProgramSurroundings): Promise<void> {
  const file = join(packageRoot, 'bench/data/products.csv');
  return runCommand(['import', file, '--stock', String(STOCK_OF_EACH)], surroundings);
}
