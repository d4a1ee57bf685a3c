import { expect, test } from 'vitest';
import type { ProcessReport, SchedulerReport } from '../../engine/processes/report.ts';
import { judge } from './judge.ts';
import type { ProcessStatus } from './status.ts';

const SERVERS = (['Redis', 'MariaDB', 'RabbitMQ'] as const).map((name) => ({
  name,
  reachable: true,
  ms: 1,
  version: '1',
  error: null,
}));

function running(kind: string, report: Partial<ProcessReport> = {}): ProcessStatus {
  return {
    ...{ id: kind, kind, host: 'here', pid: 7, version: '1', url: null, startedAt: '2030-05-01T14:00:00Z' },
    ...{ acknowledged: { epoch: 0, sequence: 0 }, isStopped: false, alive: true, seenAgoMs: 0 },
    report: { breakers: {}, ...report },
  };
}

function problemsWith(...schedulers: readonly Partial<SchedulerReport>[]): string[] {
  return problemsWhere(0, ...schedulers);
}

/** `overdueEvents` is what MariaDB knows. */
function problemsWhere(
  overdueEvents: number | null,
  ...schedulers: readonly Partial<SchedulerReport>[]
): string[] {
  const nothing = { roles: [], announcer: null, publisher: null };
  const reports = schedulers.map((one) => running('scheduler', { scheduler: { ...nothing, ...one } }));
  const books = {
    deadLettersWaiting: 0,
    deadMessagesWaiting: 0,
    lastRecovery: null,
    overdueEvents,
    lastReconciliation: null,
  };
  return judge({ servers: SERVERS, processes: [running('api'), running('writer'), ...reports], ...books });
}

const announcing = (mode: string, overdue: number | null = null) => ({
  announcer: { mode, overdue, lastAnnouncedAgoMs: null, lastError: null },
});

test.each(['LEADING', 'BLIND'])('of the schedulers one announces: %s', (mode) => {
  expect(problemsWith(announcing('STANDBY'), announcing(mode), {})).toEqual([]);
});

test('nobody announces though somebody should', () => {
  expect(problemsWith(announcing('STARTING'), announcing('STANDBY'))).toEqual([
    'no scheduler announces what is due',
  ]);
  expect(problemsWith({})).toEqual([]);
});

test('what is overdue, and what is not published, is said', () => {
  expect(problemsWith(announcing('LEADING', 2))).toEqual([
    '2 sale events should have opened or closed and have not',
  ]);
  expect(
    problemsWith({ publisher: { mode: 'BACKING_OFF', hasLease: true, lastError: 'no connection' } }),
  ).toEqual(['scheduler 7 publishes nothing: no connection']);
});

test('what MariaDB knows to be overdue is said also when no scheduler lives', () => {
  expect(problemsWhere(3)).toEqual([
    'no scheduler is alive',
    '3 sale events should have opened or closed and have not',
  ]);
  expect(problemsWhere(null)).toEqual(['no scheduler is alive']);
});

test.each([
  [3, 3],
  [3, 2],
  [1, 3],
  [null, 3],
])('what is overdue is said once: %s by MariaDB, %s by the one that announces', (known, announced) => {
  expect(problemsWhere(known, announcing('LEADING', announced))).toEqual([
    '3 sale events should have opened or closed and have not',
  ]);
});

test('the dead of MariaDB and those of RabbitMQ are said apart', () => {
  const books = { overdueEvents: 0, lastRecovery: null, lastReconciliation: null };
  const processes = [running('api'), running('writer'), running('scheduler')];
  const judged = (deadMessagesWaiting: number | null) =>
    judge({ servers: SERVERS, processes, ...books, deadLettersWaiting: 2, deadMessagesWaiting });
  expect(judged(3)).toEqual([
    '2 dead letters wait: bootakhae dead-letters list',
    '3 dead messages wait: bootakhae dead-messages list',
  ]);
  expect(judged(0)).toEqual(['2 dead letters wait: bootakhae dead-letters list']);
  expect(judged(null)).toEqual([
    '2 dead letters wait: bootakhae dead-letters list',
    'RabbitMQ does not answer for its queue of dead messages',
  ]);
});
