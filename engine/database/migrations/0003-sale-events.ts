import { type Kysely, sql } from 'kysely';

/**
 * Sale events. `opened_epoch` and `opened_sequence` are the journal entry of the last opening: the orders decided after
 * it are those that its per-customer limits count.
 */
const STATEMENTS = [
  `create table sale_events (
    id varchar(64) character set ascii collate ascii_bin not null primary key,
    name varchar(255) not null,
    starts_at datetime(3) not null,
    ends_at datetime(3) not null,
    status enum('scheduled','open','closed','cancelled') not null,
    hold_seconds int unsigned not null,
    opened_epoch bigint unsigned null,
    opened_sequence bigint unsigned null
  )`,
  `create table sale_event_items (
    event_id varchar(64) character set ascii collate ascii_bin not null,
    line smallint unsigned not null,
    sku varchar(64) not null,
    stock bigint unsigned not null,
    price bigint unsigned not null,
    limit_per_user int unsigned null,
    primary key (event_id, line)
  )`,
  // What a key led to where it changed an event is the whole event as it was then.
  'alter table idempotency_keys modify outcome mediumtext not null',
];

const TABLE_OPTIONS = 'engine=InnoDB default character set utf8mb4 collate utf8mb4_bin';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    const options = statement.startsWith('create table') ? ` ${TABLE_OPTIONS}` : '';
    await sql.raw(statement + options).execute(db);
  }
}
