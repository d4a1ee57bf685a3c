import { parseOrderId } from '../../engine/domain/order-id.ts';
import { levelField, parseLevelField } from '../../engine/domain/pool.ts';
import { formatPosition } from '../../engine/domain/position.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import { foldEntries } from '../../writer/fold.ts';

/** A message that somebody received. */
export interface Received {
  readonly messageId: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever came
  readonly body: any;
}

/** What must be told of a journal, in order: an entry and a line; the lines of an entry sorted. */
export function expectedOf(journal: readonly Entry[], threshold: number): string[] {
  const levels = new Map<string, number>();
  return journal.flatMap((entry) => {
    const lines = [...orderLines(entry), ...edgeLines(entry, { levels, threshold })];
    return lines.sort().map((line) => `${formatPosition(entry.position)} ${line}`);
  });
}

function orderLines(entry: Entry): string[] {
  if (entry.kind === 'orders')
    return entry.orders.map(({ userId, order }) => `order.${order.status} ${order.id} of ${userId}`);
  if (entry.kind !== 'settlements') return [];
  return entry.settlements.map(
    ({ orderId, status, units, strays }) =>
      `order.${status} ${orderId}${status === 'placed' ? '' : ` back ${unitsOf([...units, ...strays])}`}`,
  );
}

function unitsOf(lines: readonly { readonly sku: string; readonly quantity: number }[]): string {
  return lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(', ');
}

/** From the writer's fold of the entry alone. */
function edgeLines(
  entry: Entry,
  { levels, threshold }: { levels: Map<string, number>; threshold: number },
): string[] {
  const closed = entry.kind === 'events' && entry.change.action === 'close' ? entry.change.event.id : '';
  const { levels: changes, newLevels } = foldEntries([entry]);
  for (const level of newLevels) levels.set(levelField(level), level.available);
  return changes.flatMap(({ delta, ...level }) => {
    const field = levelField(level);
    const before = levels.get(field) ?? 0;
    const after = before + delta;
    levels.set(field, after);
    const { sku, pool } = parseLevelField(field);
    if (delta >= 0 || pool === closed) return [];
    if (after === 0) return [`stock.out ${sku} in ${pool}: 0`];
    return before > threshold && after <= threshold ? [`stock.low ${sku} in ${pool}: ${after}`] : [];
  });
}

/** The same lines of what came: the first of each id, in the order in which they came; those of an entry sorted. */
export function linesOf(received: readonly Received[]): string[] {
  const firsts = new Map(received.toReversed().map((message) => [message.messageId, message]));
  const inOrder = received.filter((message) => firsts.get(message.messageId) === message);
  const groups: { entry: string; lines: string[] }[] = [];
  for (const message of inOrder) {
    const entry = message.messageId.replace(/-\d+$/, '');
    if (groups.at(-1)?.entry !== entry) groups.push({ entry, lines: [] });
    groups.at(-1)!.lines.push(lineOf(message));
  }
  return groups.flatMap(({ entry, lines }) => lines.sort().map((line) => `${entry} ${line}`));
}

function lineOf({ messageId, type, body }: Received): string {
  if (type.startsWith('stock.')) return `${type} ${body.sku} in ${body.pool}: ${body.available}`;
  const { id, userId, items } = body.order;
  if (type === 'order.cancelled' || type === 'order.expired') return `${type} ${id} back ${unitsOf(items)}`;
  const isItsEntry = messageId.startsWith(`${formatPosition(parseOrderId(id)!)}-`);
  return isItsEntry ? `${type} ${id} of ${userId}` : `${type} ${id}`;
}
