import { type Kysely, sql } from 'kysely';

/** What Redis keeps of idempotency keys, for a Redis that has to be rebuilt. Rows go when their time is over. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table idempotency_keys (
        scope char(22) character set ascii collate ascii_bin not null primary key,
        content char(11) character set ascii collate ascii_bin not null,
        outcome varchar(32) character set ascii collate ascii_bin not null,
        used_at datetime(3) not null,
        key by_time (used_at)
      ) engine=InnoDB default character set utf8mb4 collate utf8mb4_bin`,
    )
    .execute(db);
}
