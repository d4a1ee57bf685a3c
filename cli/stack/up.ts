import { randomUUID } from 'node:crypto';
import { commandLine } from './command-line.ts';
import { DEMO_SKU } from './demo.ts';
import type { DemoEvent } from './demo-event.ts';
import { type RunningStack, startStack } from './stack.ts';
import { messageOf, StackError } from './stack-error.ts';
import { StopRequest } from './stop-request.ts';

/** The options of `bootakhae up`. */
export interface UpOptions {
  port?: number;
  data: string;
  fresh?: boolean;
  demo: boolean;
  /** See StackOptions; not an option of the command line. */
  programsDirectory?: string;
}

/**
 * Runs a local stack in the foreground until it is told to stop (Ctrl-C, SIGTERM, SIGHUP).
 *
 * @returns the exit code: 0 after an orderly stop, 1 when the stack did not come up
 */
export async function runUp(options: UpOptions): Promise<number> {
  keepGoingWithoutTerminal();
  const stop = new StopRequest(print);
  try {
    const { data, ...others } = options;
    const stack = await startStack({ ...others, dataDirectory: data, say: print, signal: stop.signal });
    for (const line of introduction(stack, options)) process.stdout.write(`${line}\n`);
    await stop.requested;
    await stack.stop();
  } catch (error) {
    if (!stop.signal.aborted) return complain(error);
  }
  print('stopped');
  return 0;
}

/** A terminal that is closed, or a pipe nobody reads, must not end the launcher before its stack. */
function keepGoingWithoutTerminal(): void {
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

function print(line: string): void {
  process.stdout.write(`bootakhae: ${line}\n`);
}

function complain(error: unknown): number {
  const text = error instanceof StackError ? messageOf(error) : String((error as Error)?.stack ?? error);
  process.stderr.write(`bootakhae: ${text}\n`);
  return 1;
}

function introduction(stack: RunningStack, options: UpOptions): string[] {
  return [
    '',
    `  api             ${stack.api}`,
    `  redis           ${stack.redis}`,
    `  database        ${stack.database}`,
    `  amqp            ${stack.amqp}`,
    `  logs            ${stack.logsDirectory}`,
    `  operator token  ${stack.operatorToken}`,
    '',
    ...(options.demo ? ['  Place an order:', '', `  ${orderLine(stack)}`, ''] : []),
    ...(stack.demoEvent ? saleLines(stack, stack.demoEvent, options.data) : []),
    '  See the orders in MariaDB:',
    '',
    `  ${databaseLine(stack)}`,
    '',
    '  Ctrl-C stops everything; the next start finds the data again.',
    '',
  ];
}

/** A line for the shell that places an order in a stack with the demo catalogue. */
export function orderLine(stack: RunningStack): string {
  const body = JSON.stringify({ items: [{ sku: DEMO_SKU, quantity: 1 }] });
  return [
    `curl -sS -w '\\n' ${stack.api}/api/v1/orders`,
    `-H 'Authorization: Bearer ${stack.customerToken}'`,
    `-H 'Idempotency-Key: ${randomUUID()}'`,
    "-H 'Content-Type: application/json'",
    `-d '${body}'`,
  ].join(' ');
}

/** When the demo's sale event opens, and how to watch its stock. */
function saleLines({ api }: RunningStack, { id, status, startsAt }: DemoEvent, data: string): string[] {
  const when = status === 'open' ? 'is open' : `opens at ${new Date(startsAt).toLocaleTimeString()}`;
  return [
    `  A sale event ${when}, and again every ten minutes. See its windows, and watch its stock:`,
    '',
    `  ${commandLine(['event', 'show', id], data)}`,
    '',
    `  curl -N ${api}/api/v1/events/${id}/live`,
    '',
  ];
}

/** A line for the shell that shows the latest orders as they are in MariaDB. */
function databaseLine(stack: RunningStack): string {
  const { hostname, port, username, password, pathname } = new URL(stack.database);
  const query = 'select * from orders join order_items on order_id = id order by id desc limit 10';
  return [
    `mariadb --host=${hostname} --port=${port} --user=${username} --password=${password}`,
    `${pathname.slice(1)} --execute '${query}'`,
  ].join(' ');
}
