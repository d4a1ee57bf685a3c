import { type Kysely, sql } from 'kysely';

/**
 * What the write-behind needs to be safe from every fault: a fence that recovery raises, so that whoever read the
 * checkpoint before changes nothing after; a lease, so that of many writers one works; entries that MariaDB refused; what
 * was recovered; and who runs, with the last journal entry that each has told a caller about.
 */
const STATEMENTS = [
  'alter table journal_checkpoint add fence bigint unsigned not null default 0',
  `create table leases (
    name varchar(64) character set ascii collate ascii_bin not null primary key,
    holder varchar(64) character set ascii collate ascii_bin not null,
    until datetime(3) not null
  )`,
  `create table dead_letters (
    epoch bigint unsigned not null,
    sequence bigint unsigned not null,
    kind varchar(32) character set ascii collate ascii_bin null,
    code varchar(64) character set ascii collate ascii_bin null,
    reason text not null,
    content longblob not null,
    status enum('waiting','replayed','dropped') not null default 'waiting',
    set_aside_at datetime(3) not null,
    settled_at datetime(3) null,
    note varchar(255) null,
    primary key (epoch, sequence),
    key by_status (status, epoch, sequence)
  )`,
  `create table recoveries (
    epoch bigint unsigned not null primary key,
    cause text not null,
    redis_epoch bigint unsigned not null,
    redis_sequence bigint unsigned not null,
    checkpoint_epoch bigint unsigned not null,
    checkpoint_sequence bigint unsigned not null,
    acknowledged_epoch bigint unsigned not null,
    acknowledged_sequence bigint unsigned not null,
    started_at datetime(3) not null,
    completed_at datetime(3) null
  )`,
  `create table processes (
    id char(36) character set ascii collate ascii_bin not null primary key,
    kind varchar(16) character set ascii collate ascii_bin not null,
    host varchar(255) not null,
    pid int unsigned not null,
    version varchar(64) not null,
    url varchar(255) null,
    started_at datetime(3) not null,
    seen_at datetime(3) not null,
    stopped_at datetime(3) null,
    acknowledged_epoch bigint unsigned not null default 0,
    acknowledged_sequence bigint unsigned not null default 0,
    report mediumtext not null,
    key by_life (stopped_at, seen_at)
  )`,
];

const TABLE_OPTIONS = 'engine=InnoDB default character set utf8mb4 collate utf8mb4_bin';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    const options = statement.startsWith('create table') ? ` ${TABLE_OPTIONS}` : '';
    await sql.raw(statement + options).execute(db);
  }
}
