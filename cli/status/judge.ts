import type { ProcessStatus, Status } from './status.ts';

type Facts = Omit<Status, 'healthy' | 'problems'>;

const LAG_SECONDS = 60;
const BACKLOG_SHARE = 0.5;

/** What is wrong, a sentence each; docs/RUNBOOK.md says of each what to do. */
export function judge(facts: Facts): string[] {
  const living = facts.processes.filter(({ alive }) => alive);
  return [
    ...facts.servers
      .filter(({ reachable }) => !reachable)
      .map(({ name, error }) => `${name} does not answer: ${error}`),
    ...missingKinds(facts, living),
    ...living.flatMap(judgeProcess),
    ...judgeAnnouncing(living),
    ...judgeEvents(facts, living),
    ...judgeBooks(facts),
  ];
}

/** Where there is no RabbitMQ to look at nobody needs a scheduler. Where neither server answers nothing is known. */
function missingKinds({ servers }: Facts, living: readonly ProcessStatus[]): string[] {
  const knows = servers.some(({ name, reachable }) => reachable && name !== 'RabbitMQ');
  if (!knows) return [];
  const needed = servers.some(({ name }) => name === 'RabbitMQ')
    ? ['api', 'writer', 'scheduler']
    : ['api', 'writer'];
  const missing = needed.filter((kind) => !living.some((one) => one.kind === kind));
  return missing.map((kind) => `no ${kind} is alive`);
}

function judgeProcess({ kind, pid, report }: ProcessStatus): string[] {
  const { gate, backlog, drain, scheduler, breakers, undecided = [] } = report;
  const who = `${kind} ${pid}`;
  const problems = (gate?.reasons ?? []).map((reason) => `the gate of ${who} is closed: ${reason}`);
  problems.push(...undecided.map((reason) => `Redis is not rebuilt: ${reason}`));
  if (backlog && backlog.entries > backlog.boundEntries * BACKLOG_SHARE)
    problems.push(`${backlog.entries} of at most ${backlog.boundEntries} journal entries wait for MariaDB`);
  if (backlog && backlog.bytes > backlog.boundBytes * BACKLOG_SHARE)
    problems.push(`${backlog.bytes} of at most ${backlog.boundBytes} bytes of journal wait for MariaDB`);
  if (drain?.lastError) problems.push(`${who} applies nothing: ${drain.lastError}`);
  if ((drain?.lagSeconds ?? 0) > LAG_SECONDS)
    problems.push(`MariaDB is ${Math.round(drain!.lagSeconds!)} s behind the journal`);
  if (scheduler?.publisher?.lastError)
    problems.push(`${who} publishes nothing: ${scheduler.publisher.lastError}`);
  const open = Object.entries(breakers).filter(([, state]) => state === 'open');
  return [...problems, ...open.map(([server]) => `${who} does not reach ${server}`)];
}

/** Of the schedulers that announce one must do so. */
function judgeAnnouncing(living: readonly ProcessStatus[]): string[] {
  const announcers = announcersOf(living);
  const isLed = announcers.some(({ mode }) => mode === 'LEADING' || mode === 'BLIND');
  return announcers.length > 0 && !isLed ? ['no scheduler announces what is due'] : [];
}

/** MariaDB knows what is overdue though no scheduler lives; one that announces says the same, so the larger figure is told, once. */
function judgeEvents({ overdueEvents }: Facts, living: readonly ProcessStatus[]): string[] {
  const overdue = Math.max(overdueEvents ?? 0, ...announcersOf(living).map((one) => one.overdue ?? 0));
  return overdue > 0 ? [`${overdue} sale events should have opened or closed and have not`] : [];
}

function announcersOf(living: readonly ProcessStatus[]) {
  return living.flatMap(({ report }) => report.scheduler?.announcer ?? []);
}

function judgeBooks(facts: Facts): string[] {
  const { servers, deadLettersWaiting, deadMessagesWaiting, lastRecovery, lastReconciliation } = facts;
  const hasBroker = servers.some(({ name, reachable }) => name === 'RabbitMQ' && reachable);
  const problems: string[] = [];
  if (deadLettersWaiting)
    problems.push(`${deadLettersWaiting} dead letters wait: bootakhae dead-letters list`);
  if (deadMessagesWaiting)
    problems.push(`${deadMessagesWaiting} dead messages wait: bootakhae dead-messages list`);
  if (deadMessagesWaiting === null && hasBroker)
    problems.push('RabbitMQ does not answer for its queue of dead messages');
  if (lastRecovery && !lastRecovery.completedAt)
    problems.push(`the recovery that began epoch ${lastRecovery.epoch} is not complete`);
  if (lastReconciliation && !lastReconciliation.consistent)
    problems.push(`the last reconciliation found ${lastReconciliation.drifts} drifts: bootakhae reconcile`);
  return problems;
}
