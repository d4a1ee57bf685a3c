import { Command, InvalidArgumentError } from 'commander';
import type { AdjustmentOutcome } from '../../engine/domain/adjustment.ts';
import { isReason, MAX_ADJUSTMENT_UNITS, MAX_REASON_CHARACTERS } from '../../engine/domain/bounds.ts';
import { type AdjustmentRequest, adjustStock } from '../../engine/redis/commands/adjust-stock.ts';
import { CommandFailure } from '../failure.ts';
import { submitAll } from '../submit-all.ts';
import { dataOption } from './data-option.ts';
import { explainUnknown, keyOption, tokenFor } from './key-option.ts';

interface AdjustOptions {
  readonly reason: string;
  readonly id?: string;
  readonly data: string;
}

/** `bootakhae stock adjust SKU DELTA`: adds units, or with a negative DELTA takes some away. */
export function adjustCommand(): Command {
  return new Command('adjust')
    .description('add units to what is available of a product, or take some away')
    .argument('<sku>')
    .argument('<delta>', 'units to add; negative: to take away', readDelta)
    .requiredOption('--reason <text>', 'why; it is kept with the change', readReason)
    .addOption(keyOption('adjustment'))
    .addOption(dataOption())
    .action((sku: string, delta: number, options: AdjustOptions) => adjust(sku, delta, options));
}

async function adjust(sku: string, delta: number, { reason, id, data }: AdjustOptions): Promise<void> {
  const token = tokenFor(id, 'stock adjust', [sku, delta, reason]);
  const request: AdjustmentRequest = { sku, delta, reason, token };
  const submission = { command: adjustStock, items: [request], itemsOfCall: 1 };
  const [outcome] = await submitAll(data, submission).catch(explainUnknown);
  console.log(describe(sku, outcome!));
}

/** One line for people; what was not done is a failure. */
function describe(sku: string, outcome: AdjustmentOutcome): string {
  switch (outcome.kind) {
    case 'adjusted':
      return `${sku}: ${outcome.available} available now`;
    case 'replayed':
      return `${sku}: nothing changed, this --id was used for the same before; ${outcome.available} were available after it`;
    case 'idempotency_mismatch':
      throw new CommandFailure('this --id was used for another adjustment: nothing changed');
    case 'unknown_product':
      throw new CommandFailure(`unknown: ${sku}`);
    case 'out_of_stock': {
      const { requested, available } = outcome.shortage;
      throw new CommandFailure(
        `${sku}: ${available} available, ${requested} cannot be taken away: nothing changed`,
      );
    }
    case 'stock_too_large':
      throw new CommandFailure(
        `${sku}: ${outcome.available} available, that many more pass what a level holds`,
      );
  }
}

function readDelta(text: string): number {
  const units = /^[+-]?\d{1,13}$/.test(text) ? Number(text) : 0;
  if (units !== 0 && Math.abs(units) <= MAX_ADJUSTMENT_UNITS) return units;
  throw new InvalidArgumentError(
    `expected a whole number other than 0, from -${MAX_ADJUSTMENT_UNITS} to ${MAX_ADJUSTMENT_UNITS}`,
  );
}

function readReason(text: string): string {
  if (isReason(text)) return text;
  throw new InvalidArgumentError(`expected 1 to ${MAX_REASON_CHARACTERS} characters, no control characters`);
}
