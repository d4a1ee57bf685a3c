import { type AdjustStockOptions, adjustStockRoute } from './handlers/adjust-stock.ts';
import { type EventOccurrencesOptions, listOccurrencesRoute } from './handlers/event-occurrences.ts';
import {
  adjustEventRoute,
  createEventRoute,
  type EventOptions,
  editEventRoute,
  listEventsRoute,
  showEventRoute,
  stepEventRoutes,
} from './handlers/events.ts';
import type { ReadinessOptions } from './handlers/health.ts';
import { healthRoute, readinessRoute } from './handlers/health.ts';
import { type MetricsOptions, metricsRoute } from './handlers/metrics.ts';
import type { OrderServices } from './handlers/order-replies.ts';
import { orderWishlistRoute } from './handlers/order-wishlist.ts';
import { placeOrderRoute } from './handlers/place-order.ts';
import { type PutProductOptions, putProductRoute } from './handlers/put-product.ts';
import { cancelOrderRoute, confirmOrderRoute, type SettleOrderOptions } from './handlers/settle-order.ts';
import { showOrderRoute } from './handlers/show-order.ts';
import { showProductRoute } from './handlers/show-product.ts';
import {
  deleteWishlistLineRoute,
  putWishlistLineRoute,
  showWishlistRoute,
  type WishlistOptions,
} from './handlers/wishlist.ts';
import type { Route } from './http/route.ts';

/** What the handlers need of the engine. */
export type Services = ReadinessOptions &
  MetricsOptions &
  PutProductOptions &
  AdjustStockOptions &
  OrderServices &
  SettleOrderOptions &
  WishlistOptions &
  EventOptions &
  EventOccurrencesOptions;

/** Every route that the api serves. */
export function createRoutes(services: Services): Route[] {
  return [
    healthRoute(),
    readinessRoute(services),
    metricsRoute(services),
    showProductRoute(services),
    putProductRoute(services),
    adjustStockRoute(services),
    showWishlistRoute(services),
    putWishlistLineRoute(services),
    deleteWishlistLineRoute(services),
    orderWishlistRoute(services),
    placeOrderRoute(services),
    showOrderRoute(services),
    confirmOrderRoute(services),
    cancelOrderRoute(services),
    listEventsRoute(services),
    showEventRoute(services),
    createEventRoute(services),
    editEventRoute(services),
    adjustEventRoute(services),
    listOccurrencesRoute(services),
    ...stepEventRoutes(services),
  ];
}
