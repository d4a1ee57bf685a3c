import { expect, test } from 'vitest';
import { keptLog } from '../../test/fixtures/kept-log.ts';
import { InternalFault, NotAccepting } from '../domain/fault.ts';
import { stockRecovery } from './stock-recovery.ts';

/** What a Redis that was rebuilt, or is not to be believed, says of an order; the rest is tested with real servers. */
const UNKNOWN = '0001ZZZZZZZZZ000';

/** Handles a wish for an order that nobody finds; `epochs` is what the gate says one time after the other, null = closed. */
async function recoverUnknown(epochs: (number | null)[], finding: () => Promise<null> = async () => null) {
  let found = 0;
  const { handle } = stockRecovery({
    findOrder: () => {
      found += 1;
      return finding();
    },
    settleOrder: () => Promise.reject(new Error('nothing is to be settled')),
    epoch: () => {
      const epoch = epochs.length > 1 ? epochs.shift()! : epochs[0]!;
      if (epoch === null) throw new NotAccepting('closed');
      return epoch;
    },
    logger: keptLog().logger,
  });
  const content = Buffer.from(JSON.stringify({ orderId: UNKNOWN, reason: 'x' }));
  const { signal } = new AbortController();
  const verdict = await handle({
    content,
    routingKey: 'stock.recover',
    messageId: null,
    isRedelivered: false,
    signal,
  });
  return { verdict, found };
}

const DEAD = { dead: `there is no order ${UNKNOWN}` };

test('an order is unknown only where the gate was open all the time', async () => {
  expect(await recoverUnknown([1])).toEqual({ verdict: DEAD, found: 1 });
});

test('P6: a gate that is closed before or after the look is waited for', async () => {
  expect(await recoverUnknown([null, 1])).toEqual({ verdict: DEAD, found: 1 });
  expect(await recoverUnknown([1, null, 1])).toEqual({ verdict: DEAD, found: 2 });
});

test('P6: what was looked for in two epochs is looked for again', async () => {
  expect(await recoverUnknown([1, 2])).toEqual({ verdict: DEAD, found: 2 });
});

test('what is spoilt goes to the dead letters, with what is wrong', async () => {
  const spoilt = () => Promise.reject(new InternalFault('its entry is damaged'));
  expect((await recoverUnknown([1], spoilt)).verdict).toEqual({
    dead: 'not recovered: its entry is damaged',
  });
});
