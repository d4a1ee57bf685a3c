/** Why the gate is closed, in one word: what docs/RUNBOOK.md is ordered by, and a label of the metrics. */
export const REASON_KINDS = [
  'redis_away',
  'redis_silent',
  'another_run',
  'recovering',
  'witness',
  'lost_data',
  'gap',
  'epoch',
  'journal_full',
  'memory_full',
  'disk_full',
  'replica',
  'replicas',
  'settings',
  'cannot_compare',
  'other',
] as const;

export type ReasonKind = (typeof REASON_KINDS)[number];

/** What the sentences of the gate begin with or contain; the first that fits. */
const PATTERNS: readonly (readonly [RegExp, ReasonKind])[] = [
  [/^Redis is away|^Redis is not reached|^Redis was lost/, 'redis_away'],
  [/^Redis: no answer within/, 'redis_silent'],
  [/another than it was/, 'another_run'],
  [/is being rebuilt/, 'recovering'],
  [/^waiting to hear/, 'witness'],
  [/lost data|acknowledged orders are lost|from before the recovery/, 'lost_data'],
  [/has a gap/, 'gap'],
  [/epoch/, 'epoch'],
  [/the journal is full/, 'journal_full'],
  [/no memory left/, 'memory_full'],
  [/cannot write its append-only file|cannot save its snapshots/, 'disk_full'],
  [/is a replica/, 'replica'],
  [/REDIS_REPLICAS asks/, 'replicas'],
  [/^Redis has \S+ .* needs |^JOURNAL_BYTES is /, 'settings'],
  [/^cannot compare/, 'cannot_compare'],
];

/** Which kind of reason a sentence of the gate is. */
export function reasonKind(sentence: string): ReasonKind {
  return PATTERNS.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'other';
}

/** While one of these holds, what Redis says may be older than it was, or half rebuilt. */
const DOUBTS: ReadonlySet<ReasonKind> = new Set([
  ...(['redis_away', 'another_run', 'recovering', 'witness', 'lost_data', 'gap', 'epoch'] as const),
  ...(['replica', 'cannot_compare'] as const),
]);

/** Whether a sentence of the gate says that Redis is not to be believed, not even by who only reads. */
export function isDoubt(sentence: string): boolean {
  return DOUBTS.has(reasonKind(sentence));
}

/** How often the gate closed since the process started, by the kind of each reason. */
export class Closings {
  readonly #counts = new Map<ReasonKind, number>(REASON_KINDS.map((kind) => [kind, 0]));

  note(reasons: readonly string[]): void {
    for (const kind of new Set(reasons.map(reasonKind)))
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  get counts(): ReadonlyMap<ReasonKind, number> {
    return this.#counts;
  }
}
