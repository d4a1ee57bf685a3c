import { Command } from 'commander';
import { API_VARIABLES } from '../../api/config.ts';
import { describeVariables, type VariableName } from '../../engine/config/environment.ts';
import { SCHEDULER_VARIABLES } from '../../engine/events/config.ts';
import { WRITER_VARIABLES } from '../../writer/config.ts';

interface ProcessCommand {
  readonly name: string;
  readonly description: string;
  readonly variables: readonly VariableName[];
  /** Importing a process's `main.ts` runs it. */
  readonly run: () => Promise<unknown>;
}

const PROCESSES: readonly ProcessCommand[] = [
  {
    name: 'api',
    description: 'take orders over HTTP',
    variables: API_VARIABLES,
    run: () => import('../../api/main.ts'),
  },
  {
    name: 'writer',
    description: 'drain the journal into MariaDB',
    variables: WRITER_VARIABLES,
    run: () => import('../../writer/main.ts'),
  },
  {
    name: 'scheduler',
    description: 'open and close sale events in time, and carry out what messages ask for',
    variables: SCHEDULER_VARIABLES,
    run: () => import('../../engine/events/main.ts'),
  },
];

/** `bootakhae api`, `writer` and `scheduler`: one process in the foreground, configured by environment alone. */
export function processCommands(): Command[] {
  return PROCESSES.map(({ name, description, variables, run }) =>
    new Command(name)
      .description(`${description}, in the foreground; SIGTERM drains and stops it`)
      .addHelpText('after', `\nEnvironment:\n${describeVariables(variables)}`)
      .action(async () => {
        await run();
      }),
  );
}
