import { SeededRandom } from '../simulation/seeded-random.ts';
import { CATALOGUE } from './kinds/catalogue.ts';
import type { FaultKind } from './kinds/fault.ts';
import { Rig } from './rig/rig.ts';
import { type RoundResult, runRound } from './round.ts';

export interface TortureOptions {
  /** Of the first round; each round's is one more than that of the one before. */
  readonly seed: number;
  /** No round begins after so long. */
  readonly minutes: number;
  /** At most so many rounds. */
  readonly rounds: number;
  /** What is drawn from. */
  readonly kinds: readonly FaultKind[];
  /** Hears of each round as it ends, with a line for people. */
  readonly onProgress: (line: string) => void;
}

/** What all rounds came to. */
export interface TortureSummary {
  readonly seed: number;
  readonly rounds: number;
  readonly seconds: number;
  /** How often each kind of fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** Kinds that cannot be produced here, and why. */
  readonly skipped: readonly string[];
  readonly requests: number;
  readonly acknowledged: number;
  readonly unanswered: number;
  readonly unansweredFound: number;
  /** Acknowledged orders that power cuts took, each named by recovery. */
  readonly takenByPowerCuts: number;
  /** Processes that ended though nobody killed them, and were started again. */
  readonly deaths: readonly string[];
  readonly violations: Readonly<Record<string, number>>;
  readonly failed: readonly RoundResult[];
}

const FAULTS_OF_A_ROUND = [2, 4] as const;
const NAMES = ['lost', 'doubled', 'untold', 'oversold', 'drifted', 'wrong', 'stuck'] as const;

/** Rounds of faults drawn from the seed, on one rig, for as long as is asked; a new rig after a round that failed. */
export async function torture(options: TortureOptions): Promise<TortureSummary> {
  const startMs = performance.now();
  const log = new Log();
  let rig = await Rig.start();
  const able = options.kinds.filter((kind) => !kind.lacks?.(rig));
  const skipped = options.kinds.flatMap((kind) => {
    const why = kind.lacks?.(rig);
    return why ? [`${kind.name}: ${why}`] : [];
  });
  if (able.length === 0) throw new Error(`nothing can be done here: ${skipped.join('; ')}`);
  const isOver = () => performance.now() - startMs > options.minutes * 60_000;
  for (let round = 0; round < options.rounds && !isOver(); round++) {
    const seed = options.seed + round;
    const kinds = drawKinds(seed, able);
    const result = await runRound(rig, { seed, name: `round-${round}`, kinds });
    log.add(result, kinds, rig.deaths.splice(0));
    options.onProgress(describeRound(round, result, options));
    if (Object.keys(result.violations).length === 0) continue;
    await rig.stop();
    rig = await Rig.start();
  }
  log.stopped(await rig.stop());
  return log.summary({ seed: options.seed, skipped, seconds: (performance.now() - startMs) / 1_000 });
}

/** Two to four kinds; not twice the same. */
function drawKinds(seed: number, kinds: readonly FaultKind[]): FaultKind[] {
  const random = new SeededRandom(Math.imul(seed, 0x9e3779b1));
  const left = [...kinds];
  const count = Math.min(left.length, random.between(...FAULTS_OF_A_ROUND));
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]!);
}

class Log {
  readonly #results: RoundResult[] = [];
  readonly #faults = new Map<string, number>();
  readonly #deaths: string[] = [];
  readonly #unclean: string[] = [];

  add(result: RoundResult, kinds: readonly FaultKind[], deaths: readonly string[]): void {
    this.#results.push(result);
    this.#deaths.push(...deaths);
    for (const { name } of kinds) this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
  }

  /** What did not end with 0 in the end. */
  stopped(unclean: readonly string[]): void {
    this.#unclean.push(...unclean);
  }

  summary(of: Pick<TortureSummary, 'seed' | 'skipped' | 'seconds'>): TortureSummary {
    const sum = (pick: (result: RoundResult) => number) =>
      this.#results.reduce((total, result) => total + pick(result), 0);
    const violations = Object.fromEntries(
      NAMES.map((name) => [name, sum((result) => result.violations[name] ?? 0)]),
    );
    return {
      ...of,
      rounds: this.#results.length,
      faults: Object.fromEntries([...this.#faults].sort()),
      requests: sum(({ requests }) => requests),
      acknowledged: sum(({ acknowledged }) => acknowledged),
      unanswered: sum(({ unanswered }) => unanswered),
      unansweredFound: sum(({ unansweredFound }) => unansweredFound),
      takenByPowerCuts: sum(({ takenByPowerCuts }) => takenByPowerCuts),
      deaths: this.#deaths,
      violations: { ...violations, unclean: this.#unclean.length },
      failed: this.#results.filter((result) => Object.keys(result.violations).length > 0),
    };
  }
}

/** Whether every promise was kept. */
export function isClean({ violations }: TortureSummary): boolean {
  return Object.values(violations).every((count) => count === 0);
}

function describeRound(round: number, result: RoundResult, { kinds, seed }: TortureOptions): string {
  const { seconds, faults, acknowledged, requests, unanswered, violations } = result;
  const counts = `${requests} requests, ${acknowledged} orders, ${unanswered} without an answer`;
  const line = `round ${round}, seed ${result.seed}, ${seconds.toFixed(1)} s: ${faults.join('; ')}: ${counts}`;
  const wrong = Object.entries(violations).map(([name, count]) => `${count} ${name}`);
  if (wrong.length === 0) return `${line}: kept`;
  const only = kinds.length < CATALOGUE.length ? ` --only ${kinds.map(({ name }) => name).join(',')}` : '';
  const replay = `npm run torture -- --rounds 1 --seed ${seed + round}${only}`;
  return `${line}: VIOLATED ${wrong.join(', ')}\n  ${result.descriptions.slice(0, 10).join('\n  ')}\n  again: ${replay}`;
}

/** The table at the end. */
export function describeSummary(summary: TortureSummary): string {
  const { seed, rounds, seconds, faults, skipped, deaths, violations } = summary;
  const rows: [string, string | number][] = [
    ['seed', seed],
    ['rounds', `${rounds} in ${Math.round(seconds)} s`],
    ...Object.entries(faults).map(([name, count]): [string, number] => [`fault ${name}`, count]),
    ['requests', summary.requests],
    ['orders acknowledged', summary.acknowledged],
    ['not answered', `${summary.unanswered}, of which ${summary.unansweredFound} were orders`],
    ['taken by power cuts, and named', summary.takenByPowerCuts],
    ['ended by themselves, restarted', deaths.length],
    ...Object.entries(violations),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  const left = skipped.map((line) => `  LEFT OUT ${line}`).join('\n');
  return `${table}${left && `\n${left}`}${deaths.map((death) => `\n  ${death}`).join('')}`;
}
