import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError } from '../engine/config/environment.ts';
import { NotAccepting, OutcomeUnknown } from '../engine/domain/fault.ts';
import { packageRoot } from '../engine/runtime/package-root.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { deadMessagesCommand } from './commands/dead-messages.ts';
import { eventCommand } from './commands/event.ts';
import { importCommand } from './commands/import.ts';
import { migrateCommand } from './commands/migrate.ts';
import { processCommands } from './commands/processes.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { recoverCommand } from './commands/recover.ts';
import { statusCommand } from './commands/status.ts';
import { stockCommand } from './commands/stock.ts';
import { tokenCommand } from './commands/token.ts';
import { upCommand } from './commands/up.ts';
import { CommandFailure } from './failure.ts';

/** A closed gate, too: `NotAccepting` says why. */
const FORESEEN = [CommandFailure, ConfigError, NotAccepting, OutcomeUnknown];

/** The command `bootakhae`: one file a command under `commands/`. */
const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string };
const program = new Command('bootakhae')
  .description('the BooTakHae stock engine')
  .version(version)
  .showHelpAfterError('(--help says more)');
const commands = [
  upCommand(),
  ...processCommands(),
  migrateCommand(),
  importCommand(),
  tokenCommand(),
  stockCommand(),
  eventCommand(),
  statusCommand(),
  reconcileCommand(),
  recoverCommand(),
  deadLettersCommand(),
  deadMessagesCommand(),
];
for (const command of commands) program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}

/** One message for people; the whole stack only where we did not foresee the error. */
function fail(error: unknown): number {
  const foreseen = FORESEEN.some((kind) => error instanceof kind) || isOperational(error);
  console.error(foreseen ? `bootakhae: ${(error as Error).message}` : error);
  return error instanceof CommandFailure ? error.exitCode : 1;
}

/** What servers, drivers and the operating system say has a code; our own mistakes have none. */
function isOperational(error: unknown): boolean {
  return error instanceof Error && ('code' in error || error.message.startsWith('Redis at '));
}
