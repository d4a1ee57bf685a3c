import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError } from '../engine/config/environment.ts';
import { NotAccepting, OutcomeUnknown } from '../engine/domain/fault.ts';
import { packageRoot } from '../engine/runtime/package-root.ts';
import { CommandFailure } from './failure.ts';
import { showable } from './showable.ts';

/** A closed gate, too: `NotAccepting` says why. */
const FORESEEN = [CommandFailure, ConfigError, NotAccepting, OutcomeUnknown];

const processes = async () => (await import('./commands/processes.ts')).processCommands();

/** Each command by its name, in the order in which the help lists them. What only one of them needs is loaded for that one. */
const COMMANDS: Readonly<Record<string, () => Promise<Command | Command[]>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand(),
  api: processes,
  writer: processes,
  scheduler: processes,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  token: async () => (await import('./commands/token.ts')).tokenCommand(),
  stock: async () => (await import('./commands/stock.ts')).stockCommand(),
  event: async () => (await import('./commands/event.ts')).eventCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  reconcile: async () => (await import('./commands/reconcile.ts')).reconcileCommand(),
  recover: async () => (await import('./commands/recover.ts')).recoverCommand(),
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).deadLettersCommand(),
  'dead-messages': async () => (await import('./commands/dead-messages.ts')).deadMessagesCommand(),
};

/** The command `bootakhae`: one file a command under `commands/`. */
const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string };
const program = new Command('bootakhae')
  .description('the BooTakHae stock engine')
  .version(version)
  .showHelpAfterError('(--help says more)');
for (const command of await loadCommands(process.argv[2])) program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}

/** The one that is asked for; all of them where that is none, for the help and the nearest name. */
async function loadCommands(name = ''): Promise<Command[]> {
  const only = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loaders = only ? [only] : new Set(Object.values(COMMANDS));
  return (await Promise.all([...loaders].map((load) => load()))).flat();
}

/** One message for people; the whole stack only where we did not foresee the error. */
function fail(error: unknown): number {
  const foreseen = FORESEEN.some((kind) => error instanceof kind) || isOperational(error);
  console.error(foreseen ? `bootakhae: ${showableLines((error as Error).message)}` : error);
  return error instanceof CommandFailure ? error.exitCode : 1;
}

/** It may name what somebody else chose. */
function showableLines(message: string): string {
  return message.split('\n').map(showable).join('\n');
}

/** What servers, drivers and the operating system say has a code; our own mistakes have none. */
function isOperational(error: unknown): boolean {
  return error instanceof Error && ('code' in error || error.message.startsWith('Redis at '));
}
