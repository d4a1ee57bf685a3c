import type { MadeUpShop } from '../made-up-shop.ts';

/** What grows while all else stays. */
export const AXES = ['lines', 'skus', 'orders', 'apis'] as const;
export type Axis = (typeof AXES)[number];

/** What the values along each axis are, in words for a report. */
export const AXIS_TITLES: Readonly<Record<Axis, string>> = {
  lines: 'lines per order',
  skus: 'SKUs in the catalogue',
  orders: 'orders kept in Redis',
  apis: 'api processes',
};

/** One place on one axis: the engine, writer paused, on a made-up shop. */
export interface GrowthSpec {
  readonly axis: Axis;
  /** The value on the axis. */
  readonly value: number;
  readonly round: number;
  readonly shop: MadeUpShop;
  /** Orders with an idempotency key that the journal and the ring hold before the load begins. */
  readonly keptOrders: number;
  readonly apis: number;
  /** Over all api processes. */
  readonly connections: number;
}

export interface GrowthQuestion {
  readonly axes: readonly Axis[];
  readonly rounds: number;
  readonly quick: boolean;
}

/** 686 lines is the longest basket of the real shop. */
const VALUES: Readonly<Record<Axis, readonly number[]>> = {
  lines: [1, 3, 16, 64, 256, 686],
  skus: [200, 2_000, 20_000, 200_000, 1_000_000],
  orders: [0, 100_000, 500_000, 2_000_000],
  apis: [1, 2],
};

const QUICK_VALUES: Readonly<Record<Axis, readonly number[]>> = {
  lines: [1, 16, 686],
  skus: [200, 20_000, 100_000],
  orders: [0, 20_000, 100_000],
  apis: [1, 2],
};

/** Where the other axes stand while one grows. */
const BASE = { shop: { products: 2_000, lines: 3 }, keptOrders: 0, apis: 1, connections: 64 };

/** Halved among two processes, 64 connections would fill only half a call of each. */
const CONNECTIONS_OF_APIS = 256;

/** All runs, axis by axis; rounds follow each other within an axis, so that its values stand close in time. */
export function makeGrowthPlan({ axes, rounds, quick }: GrowthQuestion): GrowthSpec[] {
  const values = quick ? QUICK_VALUES : VALUES;
  return axes.flatMap((axis) =>
    Array.from({ length: rounds }, (_, at) => at + 1).flatMap((round) =>
      values[axis].map((value) => ({ ...BASE, ...along(axis, value), axis, value, round })),
    ),
  );
}

function along(axis: Axis, value: number): Partial<GrowthSpec> {
  switch (axis) {
    case 'lines':
      return { shop: { ...BASE.shop, lines: value } };
    case 'skus':
      return { shop: { ...BASE.shop, products: value } };
    case 'orders':
      return { keptOrders: value };
    case 'apis':
      return { apis: value, connections: CONNECTIONS_OF_APIS };
  }
}
