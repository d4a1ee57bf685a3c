/** What competes. `letter` is the name that options take and tables show. */
export interface Strategy {
  readonly name: StrategyName;
  readonly letter: string;
  readonly title: string;
}

export type StrategyName =
  | 'select-for-update'
  | 'lock-per-item'
  | 'script-per-order'
  | 'script-per-order-pipelined'
  | 'engine'
  | 'engine-everysec'
  | 'ceiling';

export const STRATEGIES: readonly Strategy[] = [
  {
    name: 'select-for-update',
    letter: 'a',
    title: 'MariaDB transaction an order, SELECT … FOR UPDATE on its levels',
  },
  { name: 'lock-per-item', letter: 'b', title: 'a redlock lock an item, then the MariaDB transaction' },
  { name: 'script-per-order', letter: 'c', title: 'one EVALSHA an order, journal entry in the script' },
  {
    name: 'script-per-order-pipelined',
    letter: 'c2',
    title: 'the same with the driver’s automatic pipelining',
  },
  { name: 'engine', letter: 'd', title: 'this engine' },
  { name: 'engine-everysec', letter: 'd2', title: 'this engine, Redis with appendfsync everysec' },
  { name: 'ceiling', letter: 'e', title: 'the same HTTP layer answering 201 at once' },
];

/** Strategies that are the engine: they are started as its own processes and reconciled by its own command. */
export function isEngine(name: StrategyName): boolean {
  return name === 'engine' || name === 'engine-everysec';
}

/** Strategies that keep stock and orders in MariaDB's tables and nowhere else. */
export function isTables(name: StrategyName): boolean {
  return name === 'select-for-update' || name === 'lock-per-item';
}

/** Strategies of one script call an order. */
export function isScript(name: StrategyName): boolean {
  return name === 'script-per-order' || name === 'script-per-order-pipelined';
}

export function letterOf(name: StrategyName): string {
  return STRATEGIES.find((strategy) => strategy.name === name)!.letter;
}
