import { rmSync } from 'node:fs';
import { keepAfterDeath, removeAfterDeath } from './watchdog.ts';
import { writeWhole } from './written-file.ts';

/** The parts of a stack that have a process of their own. */
export type PartName = 'redis' | 'mariadb' | 'rabbitmq' | 'api' | 'writer' | 'scheduler';

/** What `stack.json` holds: how to reach a running stack. A pid is left out where there is no process of ours. */
export interface StackDescription {
  api: string;
  redis: string;
  database: string;
  amqp: string;
  operatorToken: string;
  pids: Partial<Record<PartName, number>>;
}

/** Writes `stack.json`; should this process die without removing it, the watchdog does. */
export function writeStackFile(file: string, description: StackDescription): void {
  removeAfterDeath(file);
  writeWhole(file, `${JSON.stringify(description, null, 2)}\n`);
}

/** Removes `stack.json`: there is no stack any more. */
export function removeStackFile(file: string): void {
  rmSync(file, { force: true });
  keepAfterDeath(file);
}
