import { Command, InvalidArgumentError } from 'commander';
import { WRITING_SESSION } from '../../engine/database/database.ts';
import { readDeadLetterContent } from '../../engine/database/statements/read-dead-letter-content.ts';
import {
  type DeadLetterSummary,
  readDeadLetters,
} from '../../engine/database/statements/read-dead-letters.ts';
import { isReason, MAX_REASON_CHARACTERS } from '../../engine/domain/bounds.ts';
import {
  comparePositions,
  formatPosition,
  type Position,
  parsePosition,
} from '../../engine/domain/position.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { readableContent } from '../../writer/dead-letters/readable-content.ts';
import { ReplayRefused } from '../../writer/dead-letters/replay-refused.ts';
import { type DeadLetterSides, dropDeadLetter, replayDeadLetter } from '../../writer/dead-letters/settle.ts';
import { alignColumns } from '../columns.ts';
import { withDatabase, withRedis } from '../connections.ts';
import { CommandFailure } from '../failure.ts';
import { dataOption } from './data-option.ts';

interface DataOption {
  readonly data: string;
}

const ID = 'journal id of the entry: epoch-sequence, as list prints it';

/** `bootakhae dead-letters`: journal entries that MariaDB refused, and what becomes of them. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('journal entries that MariaDB refused for good (of RabbitMQ: dead-messages)')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(replayCommand())
    .addCommand(dropCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('print those that wait for a decision')
    .option('--all', 'also those that were replayed or dropped')
    .option('--json', 'print them as JSON')
    .addOption(dataOption())
    .action(async ({ all = false, json, data }: DataOption & { all?: boolean; json?: boolean }) => {
      const letters = await withDatabase(data, (database) => readDeadLetters(database, all));
      console.log(json ? JSON.stringify(letters.map(toJson)) : describe(letters));
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('print what one holds, whole, as JSON')
    .argument('<id>', ID, readId)
    .addOption(dataOption())
    .action(async (id: Position, { data }: DataOption) => {
      const shown = await withDatabase(data, async (database) => {
        const letters = await readDeadLetters(database, true);
        const summary = letters.find(({ position }) => comparePositions(position, id) === 0);
        const stored = summary && (await readDeadLetterContent(database, id));
        return stored && { ...toJson(summary), ...readableContent(stored) };
      });
      if (!shown) throw new CommandFailure(`there is no dead letter ${formatPosition(id)}`);
      console.log(JSON.stringify(shown, null, 2));
    });
}

function replayCommand(): Command {
  return new Command('replay')
    .description('apply them to MariaDB now, in journal order, each once')
    .argument('[id...]', ID, collectIds)
    .option('--all', 'all that wait')
    .addOption(dataOption())
    .action((ids: Position[] | undefined, { all, data }: DataOption & { all?: boolean }) =>
      settle(data, async (sides) => {
        const waiting = all
          ? (await readDeadLetters(sides.database, false)).map(({ position }) => position)
          : [];
        if (!all && !ids?.length) throw new CommandFailure('name the dead letters to replay, or say --all');
        const chosen = [...waiting, ...(ids ?? [])];
        return { ids: chosen, done: 'replayed', run: (id) => replayDeadLetter(sides, id) };
      }),
    );
}

function dropCommand(): Command {
  return new Command('drop')
    .description('give them up: MariaDB will never have them; the rows are kept')
    .argument('<id...>', ID, collectIds)
    .requiredOption('--reason <text>', 'why; it is kept with them', readReason)
    .addOption(dataOption())
    .action((ids: Position[], { reason, data }: DataOption & { reason: string }) =>
      settle(data, async (sides) => ({
        ids,
        done: 'dropped',
        run: (id) => dropDeadLetter(sides, id, reason),
      })),
    );
}

/** What is done to which of them. */
interface Work {
  readonly ids: readonly Position[];
  readonly done: string;
  run(id: Position): Promise<void>;
}

/** One after the other, in journal order; one that cannot be done does not keep the rest from it. */
async function settle(data: string, plan: (sides: DeadLetterSides) => Promise<Work>): Promise<void> {
  const refused = await withRedis(data, (redis) =>
    withDatabase(
      data,
      async (database) => {
        const { ids, done, run } = await plan({ redis, database, clock: systemClock });
        let count = 0;
        for (const id of [...ids].sort(comparePositions)) {
          const reason = await run(id).then(() => null, reasonOf);
          if (reason !== null) count += 1;
          console.log(`${formatPosition(id)}  ${reason === null ? done : `refused: ${reason}`}`);
        }
        return count;
      },
      WRITING_SESSION,
    ),
  );
  if (refused > 0) throw new CommandFailure(`${refused} stay as they are`);
}

/** Anything but a refusal of this one would meet the others as well. */
function reasonOf(error: unknown): string {
  if (error instanceof ReplayRefused) return error.message;
  throw error;
}

function toJson({ position, ...rest }: DeadLetterSummary) {
  return { id: formatPosition(position), ...rest };
}

function describe(letters: readonly DeadLetterSummary[]): string {
  if (letters.length === 0) return 'no dead letters';
  const rows = letters.map(({ position, kind, status, setAsideAt, reason, note }) => [
    formatPosition(position),
    kind ?? '?',
    status,
    setAsideAt.toISOString(),
    note ? `${reason}; ${note}` : reason,
  ]);
  return alignColumns([['ID', 'KIND', 'STATUS', 'SET ASIDE', 'REASON'], ...rows]).join('\n');
}

function collectIds(text: string, others: Position[] | undefined): Position[] {
  return [...(others ?? []), readId(text)];
}

function readId(text: string): Position {
  try {
    return parsePosition(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function readReason(text: string): string {
  if (isReason(text)) return text;
  throw new InvalidArgumentError(`expected 1 to ${MAX_REASON_CHARACTERS} characters, no control characters`);
}
