import { Command } from 'commander';
import { collectStatus } from '../status/collect.ts';
import { renderStatus } from '../status/render.ts';
import { readSurroundings, surroundingEnvironment } from '../surroundings.ts';
import { dataOption } from './data-option.ts';

/** `bootakhae status`: exits with 0 when all is well, with 1 when something is not. */
export function statusCommand(): Command {
  return new Command('status')
    .description('the servers, and each process: alive, version, gate, lag, backlog, connections')
    .option('--json', 'print it as JSON')
    .addOption(dataOption())
    .action(async ({ json, data }: { json?: boolean; data: string }) => {
      const { REDIS_URL: redis, DATABASE_URL: database } = readSurroundings(data, [
        'REDIS_URL',
        'DATABASE_URL',
      ]);
      const status = await collectStatus({ redis, database, amqp: surroundingEnvironment(data).AMQP_URL });
      await print(json ? JSON.stringify(status) : renderStatus(status));
      // At once: a connection to a server that does not answer would keep this process alive.
      process.exit(status.healthy ? 0 : 1);
    });
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}
