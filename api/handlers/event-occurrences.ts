import { Type } from '@sinclair/typebox';
import type {
  OccurrencePage,
  RecordedOccurrence,
} from '../../engine/database/statements/read-occurrences.ts';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import { presentOccurrence } from '../../engine/events/present-event.ts';
import type { Route } from '../http/route.ts';
import { noSuchEvent } from './event-replies.ts';
import { PageLimit, pageCursor, pageOf } from './page.ts';

const DEFAULT_LIMIT = '20';

export interface EventOccurrencesOptions {
  readonly saleEvents: { find(id: string): Promise<SaleEvent | null> };
  readonly readOccurrences: (eventId: string, page: OccurrencePage) => Promise<RecordedOccurrence[]>;
}

/** `GET /api/v1/events/:id/occurrences`: what became of the event's windows, newest first, as far as MariaDB has it. */
export function listOccurrencesRoute({ saleEvents, readOccurrences }: EventOccurrencesOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/events/:id/occurrences',
    access: 'operator',
    query: Type.Object({
      limit: PageLimit,
      cursor: pageCursor(/^[1-9]\d{0,9}$/),
    }),
    body: null,
    async handle({ parameters: [id = ''], query: { limit = DEFAULT_LIMIT, cursor } }) {
      if (!(await saleEvents.find(id))) throw noSuchEvent();
      const before = cursor === undefined ? null : Number(cursor);
      // One more than is shown tells whether there is another page.
      const found = await readOccurrences(id, { limit: Number(limit) + 1, before });
      const { items, nextCursor } = pageOf(found, Number(limit), (last) => String(last.number));
      return { status: 200, body: { items: items.map(presentOccurrence), nextCursor } };
    },
  };
}
