import { Command, InvalidArgumentError } from 'commander';
import { BrokerAway, DeadLetterQueue, type DeadMessage } from '../../engine/broker/dead-letter-queue.ts';
import { TopologyMismatch } from '../../engine/broker/topology.ts';
import { isReason, MAX_REASON_CHARACTERS } from '../../engine/domain/bounds.ts';
import { describeAll, NONE_EVER, NONE_SEEN, nameOf, toJson } from '../dead-messages/describe.ts';
import { type Act, type Choice, eachWaiting, settle } from '../dead-messages/settle.ts';
import { CommandFailure } from '../failure.ts';
import { print } from '../print.ts';
import { readSurroundings } from '../surroundings.ts';
import { dataOption } from './data-option.ts';

interface DataOption {
  readonly data: string;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;

const NAMES = `
An ID is a message id, or "body:" and a hash of routing key and body, as list prints it where a message has no id
that can be typed; either may always be said. It names each message that has it: a dead message may be there twice.
A message id that different messages have is refused; say which by "body:…", as list --json prints it.
What another shell has in hand at that moment is not seen.`;

/** `bootakhae dead-messages`: messages of RabbitMQ that nobody could handle, and what becomes of them. */
export function deadMessagesCommand(): Command {
  return new Command('dead-messages')
    .description('messages of RabbitMQ that nobody could handle (of the journal: dead-letters)')
    .addHelpText('after', NAMES)
    .addCommand(listCommand())
    .addCommand(requeueCommand())
    .addCommand(dropCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('print them, and how many there are; they stay, behind those that were not looked at')
    .option('--limit <n>', 'how many to print', readLimit, DEFAULT_LIMIT)
    .option('--json', 'print them as JSON, with their bodies whole')
    .addOption(dataOption())
    .action(({ limit, json, data }: DataOption & { limit: number; json?: boolean }) =>
      withQueue(data, async (queue) => {
        const shown: DeadMessage[] = [];
        if (queue) await eachWaiting(queue, limit, (message) => void shown.push(message));
        const all = queue?.count ?? 0;
        if (json) await print(JSON.stringify({ waiting: all, messages: shown.map(toJson) }));
        else await print(queue ? describeAll(shown, all) : NONE_EVER);
      }),
    );
}

function requeueCommand(): Command {
  return new Command('requeue')
    .description('publish them again as they were, to be handled; what no queue takes stays')
    .argument('[id...]', 'which', collectIds)
    .option('--all', 'all that wait')
    .addOption(dataOption())
    .addHelpText('after', NAMES)
    .action((ids: string[] | undefined, { all, data }: DataOption & { all?: boolean }) =>
      settleChosen(data, { ids, all }, async (queue, message) => {
        const fault = await queue.requeue(message);
        await print(`${nameOf(message)}  ${fault === null ? 'requeued' : `stays: ${fault}`}`);
        return fault === null;
      }),
    );
}

function dropCommand(): Command {
  return new Command('drop')
    .description('give them up for good; each is printed whole, as a line of JSON, before it goes')
    .argument('[id...]', 'which', collectIds)
    .option('--all', 'all that wait')
    .requiredOption('--reason <text>', 'why; it is printed with them', readReason)
    .addOption(dataOption())
    .addHelpText('after', NAMES)
    .action(
      (ids: string[] | undefined, { all, reason, data }: DataOption & { all?: boolean; reason: string }) =>
        settleChosen(data, { ids, all }, async (queue, message) => {
          await print(JSON.stringify({ dropped: reason, ...toJson(message) }));
          await queue.drop(message);
          return true;
        }),
    );
}

/** As commander tells it. */
interface Chosen {
  readonly ids: Choice['ids'] | undefined;
  readonly all: boolean | undefined;
}

/** Says so where there was nothing to do. */
async function settleChosen(data: string, { ids = [], all = false }: Chosen, act: Act): Promise<void> {
  if (all === ids.length > 0) throw new CommandFailure('name the dead messages, or say --all');
  const nothing = await withQueue(data, async (queue) => {
    if (!queue) return NONE_EVER;
    return (await settle(queue, { ids, all }, act)) === 0 ? NONE_SEEN : null;
  });
  if (nothing !== null) await print(nothing);
}

/** Runs `work` with the queue in hand, or with null where there is none: nothing was ever dead there. */
async function withQueue<T>(data: string, work: (queue: DeadLetterQueue | null) => Promise<T>): Promise<T> {
  const { AMQP_URL } = readSurroundings(data, ['AMQP_URL']);
  try {
    const queue = await DeadLetterQueue.open(AMQP_URL);
    try {
      return await work(queue);
    } finally {
      await queue?.close();
    }
  } catch (error) {
    if (error instanceof BrokerAway || error instanceof TopologyMismatch)
      throw new CommandFailure(error.message);
    throw error;
  }
}

function collectIds(text: string, others: string[] | undefined): string[] {
  return [...(others ?? []), text];
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${MAX_LIMIT}`);
}

function readReason(text: string): string {
  if (isReason(text)) return text;
  throw new InvalidArgumentError(`expected 1 to ${MAX_REASON_CHARACTERS} characters, no control characters`);
}
