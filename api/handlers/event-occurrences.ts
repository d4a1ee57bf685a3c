import { Type } from '@sinclair/typebox';
import type {
  OccurrencePage,
  RecordedOccurrence,
} from '../../engine/database/statements/read-occurrences.ts';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import { presentOccurrence } from '../../engine/events/present-event.ts';
import type { Route } from '../http/route.ts';
import { noSuchEvent } from './event-replies.ts';

const LIMIT = /^([1-9]\d?|100)$/;
const LIMIT_RULE = 'must be a whole number from 1 to 100';
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
      limit: Type.Optional(Type.RegExp(LIMIT, { rule: LIMIT_RULE })),
      cursor: Type.Optional(
        Type.RegExp(/^[1-9]\d{0,9}$/, { rule: 'must be the nextCursor of an earlier page' }),
      ),
    }),
    body: null,
    async handle({ parameters: [id = ''], query: { limit = DEFAULT_LIMIT, cursor } }) {
      if (!(await saleEvents.find(id))) throw noSuchEvent();
      const before = cursor === undefined ? null : Number(cursor);
      // One more than is shown tells whether there is another page.
      const found = await readOccurrences(id, { limit: Number(limit) + 1, before });
      const shown = found.slice(0, Number(limit));
      const nextCursor = found.length > shown.length ? String(shown.at(-1)!.number) : null;
      return { status: 200, body: { items: shown.map(presentOccurrence), nextCursor } };
    },
  };
}
