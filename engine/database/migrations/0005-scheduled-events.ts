import { type Kysely, sql } from 'kysely';

/**
 * Sale events that repeat, what became of each of their occurrences, why an order was settled where somebody said so, and
 * the outbox: entries of the journal that are still to be told to RabbitMQ.
 */
const STATEMENTS = [
  `alter table sale_events
    add repeat_cron varchar(255) null,
    add repeat_timezone varchar(64) character set ascii collate ascii_bin null,
    add repeat_minutes int unsigned null,
    add occurrence int unsigned not null default 1,
    add key by_status (status, starts_at)`,
  `create table sale_event_occurrences (
    event_id varchar(64) character set ascii collate ascii_bin not null,
    occurrence int unsigned not null,
    starts_at datetime(3) not null,
    ends_at datetime(3) not null,
    status enum('scheduled','open','closed','missed','cancelled') not null,
    opened_at datetime(3) null,
    opened_entry varchar(40) character set ascii collate ascii_bin null,
    closed_at datetime(3) null,
    closed_entry varchar(40) character set ascii collate ascii_bin null,
    note text null,
    primary key (event_id, occurrence),
    key by_start (starts_at)
  )`,
  'alter table orders add reason varchar(255) null',
  `create table outbox (
    id bigint unsigned not null auto_increment primary key,
    epoch bigint unsigned not null,
    sequence bigint unsigned not null,
    content longblob not null,
    written_at datetime(3) not null,
    unique key by_position (epoch, sequence)
  )`,
];

const TABLE_OPTIONS = 'engine=InnoDB default character set utf8mb4 collate utf8mb4_bin';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    const options = statement.startsWith('create table') ? ` ${TABLE_OPTIONS}` : '';
    await sql.raw(statement + options).execute(db);
  }
}
