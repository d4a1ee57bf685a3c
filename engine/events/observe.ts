import type { Broker } from '../broker/broker.ts';
import { reasonKind } from '../journal/closings.ts';
import type { Gate } from '../journal/gate.ts';
import { samplePublisher } from '../outbox/observe.ts';
import type { OutboxPublisher } from '../outbox/publisher.ts';
import type { Heartbeat } from '../processes/heartbeat.ts';
import type { ProcessReport } from '../processes/report.ts';
import type { Samples } from '../runtime/metrics-page.ts';
import { VERSION } from '../runtime/version.ts';
import { ANNOUNCER_MODES, type Announcer } from './announcer.ts';
import type { ConsumptionCounts } from './consumption-counts.ts';

/** What is looked at of a scheduler; null what its roles do not need. */
export interface Observed {
  readonly roles: ReadonlySet<string>;
  readonly broker: Pick<Broker, 'isConnected'>;
  readonly announcer: Pick<Announcer, 'status'> | null;
  readonly publisher: Pick<OutboxPublisher, 'status'> | null;
  readonly gate: Gate | null;
  readonly counts: ConsumptionCounts;
  readonly heartbeat: () => Heartbeat;
}

/** The figures of a scheduler for `/metrics`. Nothing is asked of a server. */
export function sampleScheduler(observed: Observed): Samples {
  const { roles, broker, announcer, publisher, gate, counts } = observed;
  const states = Object.entries({ ...observed.heartbeat().breakers, ...breakersOf(broker) });
  return {
    bootakhae_build_info: new Map([[VERSION, 1]]),
    bootakhae_connection_open: new Map(states.map(([server, state]) => [server, state === 'closed' ? 1 : 0])),
    bootakhae_broker_connected: broker.isConnected ? 1 : 0,
    bootakhae_scheduler_role: new Map([...roles].map((role) => [role, 1])),
    ...(announcer && sampleAnnouncer(announcer)),
    ...(publisher && samplePublisher(publisher.status)),
    ...(gate && sampleConsumption(gate, counts)),
  };
}

function sampleAnnouncer({ status }: Pick<Announcer, 'status'>): Samples {
  const { mode: now, announced, lastAnnouncedAgoMs: ago, overdue, upcoming } = status;
  return {
    bootakhae_announcer_mode: new Map(ANNOUNCER_MODES.map((mode) => [mode, mode === now ? 1 : 0])),
    bootakhae_announcements_total: announced,
    bootakhae_announcement_age_seconds: ago === null ? null : ago / 1_000,
    bootakhae_events_upcoming: upcoming,
    bootakhae_events_overdue: overdue,
  };
}

function sampleConsumption(gate: Gate, counts: ConsumptionCounts): Samples {
  return {
    bootakhae_gate_open: gate.reasons.length === 0 ? 1 : 0,
    bootakhae_gate_reason: new Map(gate.reasons.map((reason) => [reasonKind(reason), 1])),
    bootakhae_gate_closings_total: gate.closings.counts,
    bootakhae_epoch: epochOf(gate),
    bootakhae_messages_total: counts.messages,
    bootakhae_event_steps_total: counts.steps,
    bootakhae_event_opening_delay_seconds: counts.openingDelays,
  };
}

/** What a scheduler says of itself with each heartbeat. */
export function reportScheduler(observed: Observed): Partial<ProcessReport> {
  const { roles, broker, announcer, publisher, gate } = observed;
  return {
    scheduler: {
      roles: [...roles],
      announcer: announcer && reportAnnouncer(announcer),
      publisher: publisher && reportPublisher(publisher),
    },
    ...(gate && { gate: { reasons: gate.reasons, epoch: epochOf(gate) } }),
    breakers: breakersOf(broker),
  };
}

function reportAnnouncer({ status }: Pick<Announcer, 'status'>) {
  const { mode, overdue, lastAnnouncedAgoMs, lastError } = status;
  return { mode, overdue, lastAnnouncedAgoMs, lastError };
}

function reportPublisher({ status }: Pick<OutboxPublisher, 'status'>) {
  const { mode, hasLease, lastError } = status;
  return { mode, hasLease, lastError };
}

/** What a scheduler lacks to do its work, or to stand by for it; empty = nothing. */
export function reasonsOf({ broker, announcer, publisher, gate }: Omit<Observed, 'heartbeat'>): string[] {
  const reasons = broker.isConnected ? [] : ['RabbitMQ is away'];
  const { mode, lastError } = announcer?.status ?? { mode: 'STANDBY', lastError: null };
  if (mode === 'STARTING') reasons.push('what is due is not known yet');
  if (lastError !== null) reasons.push(`MariaDB cannot be asked what is due: ${lastError}`);
  const unpublished = publisher?.status.lastError ?? null;
  if (unpublished !== null && broker.isConnected) reasons.push(`nothing is published: ${unpublished}`);
  return [...reasons, ...(gate?.reasons ?? [])];
}

/** Null while the gate is closed. */
function epochOf(gate: Gate): number | null {
  return gate.reasons.length === 0 ? gate.epoch() : null;
}

function breakersOf({ isConnected }: Observed['broker']) {
  return { rabbitmq: isConnected ? ('closed' as const) : ('open' as const) };
}
