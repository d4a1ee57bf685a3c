import { type Kysely, sql } from 'kysely';

/**
 * `stock_levels.available` may not be negative: whatever would make it so is refused by MariaDB itself (P1). There
 * are no foreign keys: every row comes from the journal in order, and each key would cost a lookup a line.
 * Keys compare bytes (`utf8mb4_bin`): SKUs "a" and "A" are two products.
 */
const STATEMENTS = [
  `create table products (
    sku varchar(64) not null primary key,
    name varchar(255) not null,
    price bigint unsigned not null,
    producer varchar(255) null,
    type varchar(64) null,
    \`function\` text null,
    description text null
  )`,
  `create table stock_levels (
    sku varchar(64) not null,
    pool varchar(64) character set ascii collate ascii_bin not null,
    available bigint not null,
    primary key (sku, pool),
    constraint available_not_negative check (available >= 0)
  )`,
  `create table stock_movements (
    entry varchar(41) character set ascii collate ascii_bin not null,
    line int unsigned not null,
    sku varchar(64) not null,
    pool varchar(64) character set ascii collate ascii_bin not null,
    delta bigint not null,
    kind varchar(32) character set ascii collate ascii_bin not null,
    reason varchar(255) null,
    moved_at datetime(3) not null,
    primary key (entry, line),
    key by_sku (sku, pool)
  )`,
  `create table orders (
    id char(16) character set ascii collate ascii_bin not null primary key,
    user_id varchar(128) not null,
    status enum('held','placed','cancelled','expired') not null,
    total bigint unsigned not null,
    placed_at datetime(3) not null,
    expires_at datetime(3) null,
    key by_user (user_id, id)
  )`,
  `create table order_items (
    order_id char(16) character set ascii collate ascii_bin not null,
    line smallint unsigned not null,
    sku varchar(64) not null,
    pool varchar(64) character set ascii collate ascii_bin not null,
    quantity int unsigned not null,
    unit_price bigint unsigned not null,
    primary key (order_id, line)
  )`,
  `create table wishlist_items (
    user_id varchar(128) not null,
    sku varchar(64) not null,
    quantity int unsigned not null,
    primary key (user_id, sku)
  )`,
  `create table journal_checkpoint (
    id tinyint unsigned not null primary key,
    epoch bigint unsigned not null,
    sequence bigint unsigned not null,
    applied_at datetime(3) null,
    constraint one_row check (id = 1)
  )`,
  'insert into journal_checkpoint (id, epoch, sequence) values (1, 0, 0)',
];

const TABLE_OPTIONS = 'engine=InnoDB default character set utf8mb4 collate utf8mb4_bin';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    const options = statement.startsWith('create table') ? ` ${TABLE_OPTIONS}` : '';
    await sql.raw(statement + options).execute(db);
  }
}
