/**
 * Every Redis key of the engine, spelled here and nowhere else (docs/DATA.md says what each holds).
 *
 * All carry the hash tag of their shard, so that a script's keys live on one master of a cluster. There is one
 * shard today, and nothing outside this file knows that.
 */
const SHARD = '{0}';

const key = (name: string) => `bootakhae:${SHARD}:${name}`;

export const KEYS = {
  epoch: key('epoch'),
  journal: key('journal'),
  levels: key('levels'),
  prices: key('prices'),
  catalogue: key('catalogue'),
  wishlists: key('wishlists'),
  pins: key('pins'),
  forgotten: key('forgotten'),
  recovering: key('recovering'),
  vetted: key('vetted'),
  holds: key('holds'),
  held: key('held'),
  settled: key('settled'),
  offers: key('offers'),
  counts: key('counts'),
  events: key('events'),
  revision: key('revision'),
  idempotency: key('idempotency'),
  compensated: key('compensated'),
  processes: key('processes'),
  reconciliation: key('reconciliation'),
} as const;

/** What ends an order's life changes: the keys of `lua/fragments/settlement.lua`, in its order. */
export const SETTLEMENT_KEYS: readonly string[] = [
  KEYS.levels,
  KEYS.holds,
  KEYS.held,
  KEYS.settled,
  KEYS.offers,
  KEYS.counts,
];

/** The key of a caller's lane: its last sequence and reply. */
export function laneKey(lane: string): string {
  return key(`lane:${lane}`);
}

const IDEMPOTENCY_SLOTS = 6;

/** The ring of idempotency records: its state and its slots, in the order in which the scripts take them. */
export const IDEMPOTENCY_KEYS: readonly string[] = [
  KEYS.idempotency,
  ...Array.from({ length: IDEMPOTENCY_SLOTS }, (_, slot) => key(`idempotency:${slot + 1}`)),
];
