import { Problem } from '../http/problem.ts';
import type { StreamRoute } from '../http/route.ts';
import type { WatchResult } from '../live/live-stock.ts';

export interface LiveStockServices {
  readonly liveStock: { watch(id: string, lastEventId: string): Promise<WatchResult> };
}

/**
 * `GET /api/v1/events/:id/live`: the stock of an event's items as it changes, as server-sent events. 204 to who comes back
 * to an event that is over: it keeps an EventSource from asking for ever.
 */
export function liveStockRoute({ liveStock }: LiveStockServices): StreamRoute {
  return {
    method: 'get',
    path: '/api/v1/events/:id/live',
    access: 'anyone',
    body: null,
    async handleStream({ parameters: [id = ''], lastEventId }) {
      const result = await liveStock.watch(id, lastEventId);
      if (result.kind === 'missing') throw new Problem('not_found', 'there is no such sale event');
      return result.kind === 'over' ? { status: 204 } : { stream: result.begin };
    },
  };
}
