import { Command, InvalidArgumentError } from 'commander';
import { AllotmentsBody } from '../../engine/events/event-body.ts';
import { readAllotments } from '../../engine/events/event-draft.ts';
import { readBody, soundOf } from '../event/asked-event.ts';
import { withSaleEvents } from '../event/behind-gate.ts';
import { report } from '../event/report.ts';
import { dataOption } from './data-option.ts';
import { explainUnknown, keyOption, tokenFor } from './key-option.ts';

interface ChangeOptions {
  readonly id?: string;
  readonly data: string;
}

interface AllotmentChange {
  readonly sku: string;
  readonly delta: number;
}

const STEPS = {
  open: 'open a sale event now; before its time it starts now',
  close: 'close a sale event now; of one that repeats the next window is scheduled',
  cancel: 'end a sale event for good; one that is open is closed',
} as const;

/** `bootakhae event open|close|cancel ID`: now, by hand. */
export function stepEventCommands(): Command[] {
  return (['open', 'close', 'cancel'] as const).map((step) =>
    new Command(step)
      .description(STEPS[step])
      .argument('<id>')
      .addOption(keyOption('request'))
      .addOption(dataOption())
      .action(async (id: string, { id: key, data }: ChangeOptions) => {
        const token = tokenFor(key, `event ${step}`, [id]);
        const change = withSaleEvents(data, (saleEvents) => saleEvents.step(id, step, { token }));
        report(id, await change.catch(explainUnknown));
      }),
  );
}

/** `bootakhae event adjust ID SKU:DELTA…`: more units for an open event, or less. */
export function adjustEventCommand(): Command {
  return new Command('adjust')
    .description('move more units into an open sale event, or some back; all of it or nothing')
    .argument('<id>')
    .argument('<sku:delta...>', 'units to move into it; negative: back', collectChanges)
    .requiredOption('--reason <text>', 'why; it is kept with the change')
    .addOption(keyOption('adjustment'))
    .addOption(dataOption())
    .action(
      async (
        id: string,
        items: AllotmentChange[],
        { reason, id: key, data }: ChangeOptions & { reason: string },
      ) => {
        const bytes = Buffer.from(JSON.stringify({ items, reason }));
        const { body, nameOf } = readBody<AllotmentsBody>(AllotmentsBody, bytes, argumentOf);
        const adjustment = soundOf(readAllotments(body), nameOf);
        const token = tokenFor(key, 'event adjust', [id, body]);
        const change = withSaleEvents(data, (saleEvents) => saleEvents.adjust(id, adjustment, { token }));
        report(id, await change.catch(explainUnknown));
      },
    );
}

function collectChanges(text: string, others: readonly AllotmentChange[] = []): AllotmentChange[] {
  const match = /^(.+):([+-]?\d{1,15})$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected SKU:DELTA, such as tea:+20 or tea:-5');
  return [...others, { sku: match[1]!, delta: Number(match[2]) }];
}

function argumentOf(path: string): string {
  const item = /^\/items\/(\d+)/.exec(path);
  return item ? `product ${Number(item[1]) + 1}` : path.replace('/', '--');
}
