import { expect, test } from 'vitest';
import { useDatabase } from '../../../test/fixtures/servers.ts';
import { ORIGIN } from '../../domain/position.ts';
import { readTestimony } from './read-witnesses.ts';
import { upsertProcess } from './upsert-process.ts';

const maria = useDatabase();

/** A process that says that about itself. */
async function speak(id: string, kind: string, report: object): Promise<void> {
  const who = { id, kind, host: 'here', pid: 7, version: '1', url: null };
  const row = { ...who, acknowledged: ORIGIN, report: JSON.stringify(report), isStopped: false };
  await upsertProcess(maria.database, row);
}

test('P3: whoever decides behind a gate is a witness: an api, and a scheduler that consumes', async () => {
  await speak('an api', 'api', { gate: { reasons: [] } });
  await speak('a writer', 'writer', {});
  await speak('a consumer', 'scheduler', { gate: { reasons: [] } });
  await speak('a consumer whose gate is closed', 'scheduler', { gate: { reasons: ['Redis is away'] } });
  await speak('an announcer', 'scheduler', {});
  const { witnesses } = await readTestimony(maria.database);
  expect(Object.fromEntries(witnesses.map(({ id, isOpen }) => [id, isOpen]))).toEqual({
    'an api': true,
    'a consumer': true,
    'a consumer whose gate is closed': false,
  });
});
