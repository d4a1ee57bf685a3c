import type { Order } from '../../engine/domain/order.ts';
import type { Reply } from './http-pool.ts';
import { isUncertain, type Ledger, type ToldOrder } from './ledger.ts';
import { possibleEnds } from './oracle.ts';

/** Judges what reading an order says, against its 201. */

/** Right after the 201: the same to the letter, but that its hold may just have ended. */
export function judgeReadAtOnce(ledger: Ledger, placed: Reply, read: Reply | null): void {
  if (isUncertain(read) || read!.status === 503) return;
  ledger.readAtOnce += 1;
  if (read!.status === 200 && read!.text === placed.text) return;
  const order = placed.body as Order;
  if (ledger.forgiven.has(order.id)) return;
  const isOver =
    order.expiresAt !== null && (!ledger.isTimeTrue || Date.parse(order.expiresAt) <= Date.now());
  if (isOver && read!.text === JSON.stringify({ ...order, status: 'expired', expiresAt: null })) return;
  ledger.fault('wrong', `${order.id} was read as ${read!.status} ${read!.text} right after ${placed.text}`);
}

/** Any time later: the same but for its status, which is one that agrees with all that was said of it. */
export function judgeReadLater(ledger: Ledger, told: ToldOrder, read: Reply | null): void {
  if (isUncertain(read) || read!.status === 503) return;
  ledger.readLater += 1;
  const order = JSON.parse(told.text!) as Order;
  if (ledger.forgiven.has(order.id)) return;
  const status = String(read!.body?.status);
  const expiresAt = status === 'held' ? order.expiresAt : null;
  const mayBeHeld =
    (told.isHeld && (told.said.size === 0 || (told.said.size === 1 && told.said.has('?')))) ||
    told.said.has('undone');
  const possible = [...possibleEnds(told), ...(mayBeHeld ? ['held'] : [])];
  if (possible.includes(status) && read!.text === JSON.stringify({ ...order, status, expiresAt })) return;
  ledger.fault(
    'wrong',
    `${order.id} was read as ${read!.status} ${read!.text} later, its replies said ${[...told.said]}`,
  );
}
