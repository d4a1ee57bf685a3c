import { Command, InvalidArgumentError } from 'commander';
import { runUp, type UpOptions } from '../stack/up.ts';

/** The command `bootakhae up`: the local stack in the foreground. */
export function upCommand(): Command {
  return new Command('up')
    .description('start a private Redis, MariaDB and RabbitMQ, then the api, the writer and the scheduler')
    .option(
      '--port <n>',
      'port of the api, 0 for any free one (default: 3000 where it is free, else any)',
      portNumber,
    )
    .option('--data <dir>', 'where everything is kept between two starts', '.bootakhae')
    .option('--fresh', 'forget the data of earlier starts')
    .option('--no-demo', 'do not load the demo catalogue')
    .addHelpText('after', HELP)
    .action(async (options: UpOptions) => {
      process.exitCode = await runUp(options);
    });
}

const HELP = `
Where REDIS_URL, DATABASE_URL or AMQP_URL is set, that server is used and none is started; AUTH_SECRET is used
where it is set. While the stack runs, <dir>/stack.json holds its addresses, an operator token and process ids,
and <dir>/logs what each part writes. Ctrl-C stops everything; the next start finds the data again.`;

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535');
}
