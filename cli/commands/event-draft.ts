import { Command, Option } from 'commander';
import { EventBody, EventEditBody } from '../../engine/events/event-body.ts';
import { readEventDraft, readEventEdit } from '../../engine/events/event-draft.ts';
import type { SaleEvents } from '../../engine/events/sale-events.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { type Asked, readAsked, soundOf } from '../event/asked-event.ts';
import { withSaleEvents } from '../event/behind-gate.ts';
import { addDraftOptions, type DraftOptions } from '../event/draft-options.ts';
import { report } from '../event/report.ts';
import { dataOption } from './data-option.ts';
import { explainUnknown, keyOption, tokenFor } from './key-option.ts';

type CreateOptions = DraftOptions & { readonly id?: string; readonly data: string };

const FILE =
  "JSON as the api's POST /api/v1/events takes it; - reads standard input; without FILE options say it";

/** `bootakhae event create [FILE.json]`. */
export function createEventCommand(): Command {
  const command = new Command('create').description('schedule a sale event').argument('[file]', FILE);
  return addDraftOptions(command)
    .addOption(keyOption('event'))
    .addOption(dataOption())
    .action(async (file: string | undefined, options: CreateOptions) => {
      const asked = await readAsked<EventBody>(EventBody, file, options);
      const token = tokenFor(options.id, 'event create', asked.body);
      const creation = withSaleEvents(options.data, (saleEvents) => create(saleEvents, asked, token));
      report('', await creation.catch(explainUnknown));
    });
}

/** `bootakhae event edit ID [FILE.json]`. */
export function editEventCommand(): Command {
  const command = new Command('edit')
    .description('change a sale event that is scheduled; what is not said stays as it is')
    .argument('<id>')
    .argument('[file]', FILE);
  return addDraftOptions(command)
    .addOption(new Option('--once', 'it is not to come again').conflicts(['cron', 'timezone', 'minutes']))
    .addOption(dataOption())
    .action(async (id: string, file: string | undefined, options: CreateOptions) => {
      const asked = await readAsked<EventEditBody>(EventEditBody, file, options);
      const editing = withSaleEvents(options.data, (saleEvents) => edit(saleEvents, id, asked));
      report(id, await editing.catch(explainUnknown));
    });
}

async function create(saleEvents: SaleEvents, { body, nameOf }: Asked<EventBody>, token: string | undefined) {
  const reading = readEventDraft(body, systemClock.nowMs());
  // What was asked for in time may be asked for again when it is over: the key says that it was done.
  const earlier = 'faults' in reading && token !== undefined ? await saleEvents.replay(token) : null;
  return earlier ?? (await saleEvents.create(soundOf(reading, nameOf), { token }));
}

async function edit(saleEvents: SaleEvents, id: string, { body, nameOf }: Asked<EventEditBody>) {
  const event = await saleEvents.find(id);
  if (!event) return { kind: 'missing' } as const;
  return await saleEvents.edit(id, soundOf(readEventEdit(body, event, systemClock.nowMs()), nameOf));
}
