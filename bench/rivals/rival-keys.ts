/** The Redis keys of the script an order; the engine's own are spelled in engine/redis/keys.ts. */
export const RIVAL_KEYS = {
  levels: 'rival:levels',
  prices: 'rival:prices',
  journal: 'rival:journal',
} as const;
