import type { OrderOutcome } from '../engine/domain/order.ts';
import { reasonKind } from '../engine/journal/closings.ts';
import type { Gate } from '../engine/journal/gate.ts';
import type { Heartbeat } from '../engine/processes/heartbeat.ts';
import type { BacklogReport, Breakers, ProcessReport } from '../engine/processes/report.ts';
import type { Batcher } from '../engine/redis/batcher.ts';
import type { OrderRequest } from '../engine/redis/commands/place-orders.ts';
import type { Samples } from '../engine/runtime/metrics-page.ts';
import { VERSION } from '../engine/runtime/version.ts';
import { responsesByClass } from './http/exchange.ts';
import type { LiveStock } from './live/live-stock.ts';
import type { OrderCounts } from './order-counts.ts';

/** What is looked at of an api; all of it exists anyway. */
export interface Observed {
  readonly gate: Gate;
  readonly orders: Batcher<OrderRequest, OrderOutcome>;
  readonly counts: OrderCounts;
  readonly queueBound: number;
  readonly liveStock: LiveStock;
  readonly liveBound: number;
  readonly heartbeat: () => Heartbeat;
  readonly monotonicMs: () => number;
}

/** The figures of an api for `/metrics`. Nothing is asked of a server. */
export function sampleApi(observed: Observed): Samples {
  const { gate, orders, counts, queueBound } = observed;
  const reasons = new Map(gate.reasons.map((reason) => [reasonKind(reason), 1]));
  return {
    bootakhae_build_info: new Map([[VERSION, 1]]),
    bootakhae_connection_open: connections(observed.heartbeat().breakers),
    bootakhae_gate_open: gate.reasons.length === 0 ? 1 : 0,
    bootakhae_gate_reason: reasons,
    bootakhae_gate_closings_total: gate.closings.counts,
    bootakhae_epoch: epochOf(gate),
    ...sampleBacklog(observed),
    bootakhae_queue_orders: orders.depth,
    bootakhae_queue_bound_orders: queueBound,
    bootakhae_orders_total: counts.byOutcome,
    bootakhae_calls_total: orders.sent.calls,
    bootakhae_call_orders_total: orders.sent.items,
    bootakhae_decision_seconds: counts.decisions,
    bootakhae_http_responses_total: responsesByClass(),
    ...sampleLiveStock(observed),
  };
}

function sampleLiveStock({ liveStock: { counts, intervalMs }, liveBound }: Observed): Samples {
  return {
    bootakhae_live_clients: counts.clients,
    bootakhae_live_bound_clients: liveBound,
    bootakhae_live_messages_total: counts.messages,
    bootakhae_live_dropped_total: counts.dropped,
    bootakhae_live_refused_total: counts.refused,
    bootakhae_live_interval_seconds: intervalMs / 1_000,
  };
}

function sampleBacklog({ gate, monotonicMs }: Observed): Samples {
  const { reading } = gate.bound;
  if (!reading) return {};
  return {
    bootakhae_redis_silence_seconds: (monotonicMs() - reading.readAtMs) / 1_000,
    bootakhae_backlog_entries: reading.entries,
    bootakhae_backlog_bytes: reading.bytes,
    bootakhae_backlog_bound_entries: reading.bound.entries,
    bootakhae_backlog_bound_bytes: reading.bound.bytes,
  };
}

/** 1 for each connection that works. */
function connections(breakers: Breakers): ReadonlyMap<string, number> {
  return new Map(Object.entries(breakers).map(([server, state]) => [server, state === 'closed' ? 1 : 0]));
}

/** What an api says of itself with each heartbeat. */
export function reportApi({ gate, orders, queueBound }: Observed): Partial<ProcessReport> {
  return {
    gate: { reasons: gate.reasons, epoch: epochOf(gate) },
    backlog: backlogOf(gate),
    queue: { waiting: orders.depth, bound: queueBound },
  };
}

function backlogOf(gate: Gate): BacklogReport | null {
  const { reading } = gate.bound;
  if (!reading) return null;
  const { entries, bytes, bound } = reading;
  return { entries, bytes, boundEntries: bound.entries, boundBytes: bound.bytes };
}

/** Null while the gate is closed. */
function epochOf(gate: Gate): number | null {
  return gate.reasons.length === 0 ? gate.epoch() : null;
}
