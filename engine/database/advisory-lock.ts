import { setTimeout as pause } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

/** MariaDB ends a connection that says nothing for so long, and its lock with it: a holder that is stopped loses it. */
const SILENCE_SECONDS = 15;
const SPEAK_EVERY_MS = 5_000;

/**
 * Runs `work` while this database's lock `name` is held, on a connection of its own; null, and nothing is run, where
 * somebody else has it. The lock is economy, not safety: a holder that was stopped for longer than 15 s has lost it
 * without knowing, so whatever `work` does must be fenced by itself.
 */
export async function withAdvisoryLock<T>(
  database: Database,
  name: string,
  work: () => Promise<T>,
): Promise<T | null> {
  return await database.query.connection().execute(async (db) => {
    // Locks belong to the whole server: the name says which database it is about.
    const lock = sql`concat(${`bootakhae ${name} `}, left(md5(database()), 16))`;
    const { rows } = await sql<{ got: number }>`select get_lock(${lock}, 0) as got`.execute(db);
    if (Number(rows[0]?.got) !== 1) return null;
    const speaking = new AbortController();
    await sql`set session wait_timeout = ${sql.lit(SILENCE_SECONDS)}`.execute(db);
    const spoken = keepSpeaking(db, speaking.signal);
    try {
      return await work();
    } finally {
      speaking.abort();
      await spoken;
      // A connection that is lost has given the lock back by itself.
      await sql`do release_lock(${lock})`.execute(db).catch(() => undefined);
      await sql`set session wait_timeout = default`.execute(db).catch(() => undefined);
    }
  });
}

async function keepSpeaking(db: Kysely<Schema>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(SPEAK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    if (!signal.aborted) await sql`do 0`.execute(db).catch(() => undefined);
  }
}
