import { Command, Option } from 'commander';
import { readOccurrences } from '../../engine/database/statements/read-occurrences.ts';
import { EVENT_STATUSES } from '../../engine/domain/sale-event.ts';
import { presentEvent, presentOccurrence } from '../../engine/events/present-event.ts';
import { readEvent, readEvents, readPoolLevels } from '../../engine/redis/event-reader.ts';
import { withDatabase } from '../connections.ts';
import { describeHistory, describeList, describeWhole, nextFirst } from '../event/describe.ts';
import { CommandFailure } from '../failure.ts';
import { withSoundRedis } from '../sound-redis.ts';
import { dataOption } from './data-option.ts';
import { adjustEventCommand, stepEventCommands } from './event-change.ts';
import { createEventCommand, editEventCommand } from './event-draft.ts';

interface ListOptions {
  readonly json?: boolean;
  readonly status?: string;
  readonly data: string;
}

const WINDOWS_SHOWN = 20;

/** `bootakhae event`: sale events as they are in Redis now, their history from MariaDB, and changes of them. */
export function eventCommand(): Command {
  const command = new Command('event').description('sale events');
  command.addCommand(listCommand()).addCommand(showCommand());
  command.addCommand(createEventCommand()).addCommand(editEventCommand());
  for (const step of stepEventCommands()) command.addCommand(step);
  return command.addCommand(adjustEventCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('print all sale events, the next window first, those that are over last')
    .option('--json', 'print them as JSON')
    .addOption(new Option('--status <status>', 'only those of this status').choices(EVENT_STATUSES))
    .addOption(dataOption())
    .action(async ({ json, status, data }: ListOptions) => {
      const { events } = await withSoundRedis(data, readEvents);
      const asked = nextFirst([...events.values()]).filter((event) => !status || event.status === status);
      if (json) console.log(JSON.stringify(asked.map(presentEvent)));
      else for (const line of describeList(asked)) console.log(line);
    });
}

function showCommand(): Command {
  return new Command('show')
    .description(`print one, what its pool has now, and what became of its last ${WINDOWS_SHOWN} windows`)
    .argument('<id>')
    .option('--json', 'print it as JSON')
    .addOption(dataOption())
    .action((id: string, options: ListOptions) => showEvent(id, options));
}

async function showEvent(id: string, { json, data }: ListOptions): Promise<void> {
  const { event, inPool } = await withSoundRedis(data, async (redis) => {
    const { event: found } = await readEvent(redis, id);
    if (!found) throw new CommandFailure(`there is no sale event ${id}, see bootakhae event list`);
    const skus = found.items.map(({ sku }) => sku);
    return { event: found, inPool: await readPoolLevels(redis, id, skus) };
  });
  const page = { limit: WINDOWS_SHOWN, before: null };
  const history = await withDatabase(data, (database) => readOccurrences(database, id, page));
  if (json) {
    const presented = presentEvent(event);
    const items = presented.items.map((item, at) => ({ ...item, inPool: inPool[at]! }));
    console.log(JSON.stringify({ ...presented, items, history: history.map(presentOccurrence) }));
    return;
  }
  for (const line of [...describeWhole(event, inPool), '', ...describeHistory(history)]) console.log(line);
}
