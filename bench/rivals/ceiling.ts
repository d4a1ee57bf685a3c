import { formatOrderId } from '../../engine/domain/order-id.ts';
import { accepted, type Rival } from './rival.ts';

const ANY_PRICE = 295;

/** Answers at once with an order as it would look: what the HTTP layer alone can do. */
export function createCeiling(): Rival {
  let sequence = 0;
  return {
    async placeOrder({ lines }) {
      const id = formatOrderId({ epoch: 1, sequence: sequence++, index: 0 });
      return accepted(
        id,
        Date.now(),
        lines!,
        lines!.map(() => ANY_PRICE),
      );
    },
    async stop() {},
  };
}
