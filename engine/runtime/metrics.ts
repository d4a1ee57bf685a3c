/** A process of ours that answers `/metrics`. */
export type ProcessKind = 'api' | 'writer' | 'scheduler';

/** What a metric is; its unit comes last in its name. */
export interface MetricDescription {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly of: readonly ProcessKind[];
  readonly labels: readonly string[];
  readonly help: string;
}

const API = ['api'] as const;
const WRITER = ['writer'] as const;
const SCHEDULER = ['scheduler'] as const;
/** Who has something decided in Redis. */
const DECIDERS = ['api', 'scheduler'] as const;
const ALL = ['api', 'writer', 'scheduler'] as const;

/** Every metric of the engine, beside those that prom-client has of any Node.js process. docs/METRICS.md lists the same. */
export const METRICS = {
  bootakhae_build_info: gauge(ALL, 'Always 1; the version is a label', ['version']),
  bootakhae_connection_open: gauge(ALL, '1 while the connection to the server works', ['server']),

  bootakhae_gate_open: gauge(DECIDERS, '1 while orders are accepted'),
  bootakhae_gate_reason: gauge(DECIDERS, '1 for each kind of reason for which the gate is closed', ['kind']),
  bootakhae_gate_closings_total: counter(DECIDERS, 'How often the gate closed, by kind of reason', ['kind']),
  bootakhae_epoch: gauge(DECIDERS, 'The epoch in force'),
  bootakhae_redis_silence_seconds: gauge(API, 'Seconds since the gate last had an answer from Redis'),
  bootakhae_backlog_entries: gauge(API, 'Journal entries in Redis: those that wait for MariaDB or a reader'),
  bootakhae_backlog_bytes: gauge(API, 'What they take of memory'),
  bootakhae_backlog_bound_entries: gauge(API, 'Entries at which the journal is full'),
  bootakhae_backlog_bound_bytes: gauge(API, 'Bytes at which the journal is full'),
  bootakhae_queue_orders: gauge(API, 'Orders that wait for a call'),
  bootakhae_queue_bound_orders: gauge(API, 'Orders that may wait'),
  bootakhae_orders_total: counter(API, 'Orders by what became of them', ['outcome']),
  bootakhae_calls_total: counter(API, 'Redis calls that decided orders'),
  bootakhae_call_orders_total: counter(API, 'Orders in those calls; over calls: orders a call'),
  bootakhae_decision_seconds: histogram(API, 'From taking an order to knowing its outcome'),
  bootakhae_http_responses_total: counter(API, 'HTTP responses by class of status', ['class']),
  bootakhae_live_clients: gauge(API, 'Clients that watch live stock'),
  bootakhae_live_bound_clients: gauge(API, 'Clients that may watch it at once'),
  bootakhae_live_messages_total: counter(API, 'Messages of live stock, one for each client told'),
  bootakhae_live_dropped_total: counter(API, 'Clients dropped because they did not read'),
  bootakhae_live_refused_total: counter(API, 'Clients refused because there were too many'),
  bootakhae_live_interval_seconds: gauge(API, 'How often a client is told of changes at most, now'),

  bootakhae_writer_mode: gauge(WRITER, '1 for the mode that the writer is in', ['mode']),
  bootakhae_writer_lease: gauge(WRITER, '1 while this writer has the lease'),
  bootakhae_writer_lag_entries: gauge(WRITER, 'Journal entries that MariaDB does not have'),
  bootakhae_writer_lag_seconds: gauge(WRITER, 'Age of the oldest of them'),
  bootakhae_writer_checkpoint_epoch: gauge(WRITER, "MariaDB's checkpoint: epoch"),
  bootakhae_writer_checkpoint_sequence: gauge(WRITER, "MariaDB's checkpoint: sequence"),
  bootakhae_writer_batch_entries: gauge(WRITER, 'Entries that one transaction may take in now'),
  bootakhae_writer_commit_seconds: histogram(WRITER, 'How long a transaction took'),
  bootakhae_writer_entries_total: counter(WRITER, 'Journal entries applied'),
  bootakhae_writer_rows_total: counter(WRITER, 'Rows written'),
  bootakhae_writer_retries_total: counter(WRITER, 'Attempts that failed and were made again', ['reason']),
  bootakhae_writer_set_aside_total: counter(WRITER, 'Entries put into dead_letters'),
  bootakhae_recovery_undecided: gauge(WRITER, '1 while Redis must be rebuilt and a person must decide'),
  bootakhae_dead_letters_waiting: gauge(WRITER, 'Dead letters that are neither replayed nor dropped'),
  bootakhae_outbox_rows: gauge(WRITER, 'Rows of journal entries that the world is still to be told of'),
  bootakhae_outbox_seconds: gauge(WRITER, 'Age of the oldest of them'),
  bootakhae_reconciliation_drifts: gauge(WRITER, 'Drifts that the last reconciliation found'),
  bootakhae_reconciliation_timestamp_seconds: gauge(WRITER, 'When that was, seconds since 1970'),

  bootakhae_broker_connected: gauge(SCHEDULER, '1 while RabbitMQ is connected'),
  bootakhae_scheduler_role: gauge(SCHEDULER, '1 for each role that the scheduler has', ['role']),
  bootakhae_announcer_mode: gauge(SCHEDULER, '1 for the mode that the announcer is in', ['mode']),
  bootakhae_announcements_total: counter(SCHEDULER, 'Openings and closings announced and confirmed', [
    'step',
  ]),
  bootakhae_announcement_age_seconds: gauge(SCHEDULER, 'Seconds since the last announcement'),
  bootakhae_events_upcoming: gauge(
    SCHEDULER,
    'Sale events that open or close within 24 hours; known to the one that announces',
  ),
  bootakhae_events_overdue: gauge(
    SCHEDULER,
    'Sale events that should have opened or closed more than 5 s ago; known to the one that announces',
  ),
  bootakhae_messages_total: counter(SCHEDULER, 'Messages consumed by what became of them', ['outcome']),
  bootakhae_event_steps_total: counter(
    SCHEDULER,
    'Looks at what is due for a sale event by what they came to',
    ['outcome'],
  ),
  bootakhae_event_opening_delay_seconds: histogram(
    SCHEDULER,
    'From the start of a sale event to its units being available',
  ),
  bootakhae_publisher_mode: gauge(SCHEDULER, '1 for the mode that the publisher is in', ['mode']),
  bootakhae_publisher_lease: gauge(SCHEDULER, '1 while this publisher has the lease'),
  bootakhae_publisher_messages_total: counter(SCHEDULER, 'Messages that RabbitMQ has confirmed', ['type']),
  bootakhae_publisher_retries_total: counter(SCHEDULER, 'Attempts that failed and were made again'),
} as const satisfies Record<string, MetricDescription>;

export type MetricName = keyof typeof METRICS;

function gauge(of: readonly ProcessKind[], help: string, labels: readonly string[] = []): MetricDescription {
  return { type: 'gauge', of, labels, help };
}

function counter(
  of: readonly ProcessKind[],
  help: string,
  labels: readonly string[] = [],
): MetricDescription {
  return { type: 'counter', of, labels, help };
}

function histogram(of: readonly ProcessKind[], help: string): MetricDescription {
  return { type: 'histogram', of, labels: [], help };
}
