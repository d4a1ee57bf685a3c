import { type KeptOrder, presentOrder } from '../../engine/domain/order.ts';
import { Problem } from '../http/problem.ts';
import type { Request, Route } from '../http/route.ts';

export interface ShowOrderOptions {
  readonly findOrder: (id: string) => Promise<KeptOrder | null>;
}

/** `GET /api/v1/orders/:id`: to its owner and to operators; to anybody else it does not exist. */
export function showOrderRoute(options: ShowOrderOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/orders/:id',
    access: 'customer',
    body: null,
    async handle(request) {
      return { status: 200, body: presentOrder(await findVisibleOrder(options, request)) };
    },
  };
}

/** The order that the path names, if the caller may see it. Throws 404 `not_found` otherwise. */
export async function findVisibleOrder(options: ShowOrderOptions, request: Request): Promise<KeptOrder> {
  const { parameters, caller } = request;
  const found = await options.findOrder(parameters[0] ?? '');
  if (!found || (found.userId !== caller.user && caller.role !== 'operator')) {
    throw new Problem('not_found', 'you have no order of this id');
  }
  return found;
}
