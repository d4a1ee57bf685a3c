import type { OwnedOrder } from '../../engine/domain/order.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from '../http/route.ts';

export interface ShowOrderOptions {
  readonly findOrder: (id: string) => Promise<OwnedOrder | null>;
}

/** `GET /api/v1/orders/:id`: to its owner and to operators; to anybody else it does not exist. */
export function showOrderRoute({ findOrder }: ShowOrderOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/orders/:id',
    access: 'customer',
    body: null,
    async handle({ parameters: [id = ''], caller }) {
      const found = await findOrder(id);
      if (!found || (found.userId !== caller.user && caller.role !== 'operator')) {
        throw new Problem('not_found', 'you have no order of this id');
      }
      return { status: 200, body: found.order };
    },
  };
}
