import { alignColumns } from '../columns.ts';
import type { ProcessStatus, ServerStatus, Status } from './status.ts';

/** One that ended, or was lost, longer ago is not shown to people. */
const GONE_SHOWN_MS = 3_600_000;

/** The status for people. */
export function renderStatus(status: Status): string {
  const shown = status.processes.filter(
    (one) => one.alive || (!one.isStopped && one.seenAgoMs < GONE_SHOWN_MS),
  );
  return [
    ...alignColumns([['SERVER', 'ANSWERS', 'MS', 'VERSION'], ...status.servers.map(serverRow)]),
    '',
    ...alignColumns([PROCESS_HEAD, ...shown.map(processRow)]),
    '',
    ...bookLines(status),
    '',
    ...verdictLines(status.problems),
  ].join('\n');
}

function serverRow({ name, reachable, ms, version }: ServerStatus): string[] {
  return [name, reachable ? 'yes' : 'NO', String(ms ?? '-'), version ?? '-'];
}

const PROCESS_HEAD = [
  'PROCESS',
  'PID',
  'HOST',
  'ALIVE',
  'VERSION',
  'SINCE',
  'AT',
  'GATE',
  'LAG',
  'BACKLOG',
  'CONNECTIONS',
];

function processRow({
  kind,
  pid,
  host,
  alive,
  seenAgoMs,
  version,
  startedAt,
  url,
  report,
}: ProcessStatus): string[] {
  return [
    kind,
    String(pid),
    host,
    alive ? 'yes' : `NO, seen ${seconds(seenAgoMs)} ago`,
    version,
    startedAt.slice(0, 19),
    url ?? '-',
    describeGate(report),
    describeLag(report),
    describeBacklog(report),
    Object.entries(report.breakers)
      .map(([server, state]) => `${server} ${state}`)
      .join(', '),
  ];
}

function describeGate({ gate }: ProcessStatus['report']): string {
  if (!gate) return '-';
  return gate.reasons.length === 0 ? `open, epoch ${gate.epoch}` : 'CLOSED';
}

function describeLag({ drain, scheduler }: ProcessStatus['report']): string {
  if (scheduler?.announcer) return scheduler.announcer.mode;
  if (!drain) return '-';
  if (drain.lagEntries === null) return drain.mode;
  const age = drain.lagSeconds === null ? '' : `, ${drain.lagSeconds.toFixed(1)} s`;
  return `${drain.mode}, ${drain.lagEntries} entries${age}`;
}

function describeBacklog({ backlog }: ProcessStatus['report']): string {
  if (!backlog) return '-';
  const share = Math.max(backlog.bytes / backlog.boundBytes, backlog.entries / backlog.boundEntries);
  return `${backlog.bytes} bytes, ${(share * 100).toFixed(1)} % full`;
}

function bookLines(status: Status): string[] {
  const { servers, deadLettersWaiting, deadMessagesWaiting, overdueEvents } = status;
  const { lastRecovery, lastReconciliation } = status;
  const hasBroker = servers.some(({ name }) => name === 'RabbitMQ');
  return [
    `dead letters waiting: ${deadLettersWaiting ?? 'unknown'}`,
    ...(hasBroker ? [`dead messages waiting: ${deadMessagesWaiting ?? 'unknown'}`] : []),
    `sale events overdue: ${overdueEvents ?? 'unknown'}`,
    `last recovery: ${lastRecovery ? `epoch ${lastRecovery.epoch} at ${lastRecovery.startedAt.toISOString()}, ${lastRecovery.cause}` : 'none known'}`,
    `last reconciliation: ${lastReconciliation ? `drift ${lastReconciliation.drifts}, at ${new Date(lastReconciliation.at).toISOString()}` : 'none known'}`,
  ];
}

function verdictLines(problems: readonly string[]): string[] {
  if (problems.length === 0) return ['all is well'];
  return ['NOT WELL:', ...problems.map((problem) => `  ${problem}`), 'what to do: docs/RUNBOOK.md'];
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
