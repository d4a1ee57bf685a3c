import type { EventResult } from '../../engine/events/sale-events.ts';
import { CommandFailure } from '../failure.ts';
import { showable } from '../showable.ts';
import { describeEvent } from './describe.ts';

/** Says in a line what became of it, with a warning for each product of which there was too little; what was not done is a failure. */
export function report(id: string, result: EventResult): void {
  if (result.kind !== 'done') throw new CommandFailure(`${explain(id, result)}: nothing was changed`);
  const { event, shortfalls, isReplayed } = result;
  const prefix = isReplayed ? 'nothing changed, this --id was used for the same before: ' : '';
  console.log(prefix + describeEvent(event));
  for (const { sku, stock, moved } of shortfalls)
    console.error(
      `warning: ${showable(sku)}: only ${moved} of ${stock} were there to be moved into the event`,
    );
}

function explain(id: string, result: Exclude<EventResult, { kind: 'done' }>): string {
  switch (result.kind) {
    case 'missing':
      return `there is no sale event ${id}, see bootakhae event list`;
    case 'impossible':
      return result.reason;
    case 'idempotency_mismatch':
      return 'this --id was used for something else';
    case 'overlap':
      return `other events have some of the products at that time, see bootakhae event show ${result.events.map((event) => event.id).join(', ')}`;
    case 'taken':
      return `another open event has ${result.skus.join(', ')}, close it first`;
    case 'unknown_product':
      return `unknown: ${result.skus.join(', ')}`;
    case 'not_carried':
      return `the event does not carry ${result.skus.join(', ')}`;
    case 'short':
      return result.items
        .map(({ sku, requested, available }) => {
          return `${sku}: ${available} available ${requested > 0 ? 'outside the event' : 'in it'}, ${Math.abs(requested)} cannot be moved`;
        })
        .join('; ');
  }
}
