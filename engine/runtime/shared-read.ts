/**
 * A read for many who ask at once: while one is under way, all who ask share the one after it, so that at most one waits however
 * many ask. Nobody gets what was read before they asked. A read that fails fails for those who share it, and for nobody else.
 */
export function sharedRead<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | null = null;
  let next: Promise<Result> | null = null;

  function begin(): Promise<Result> {
    const begun = read();
    running = begun;
    const end = () => {
      if (next === null) running = null;
    };
    begun.then(end, end);
    return begun;
  }

  async function beginAfter(earlier: Promise<Result>): Promise<Result> {
    await earlier.catch(() => undefined);
    next = null;
    return await begin();
  }

  return () => {
    if (running === null) return begin();
    next ??= beginAfter(running);
    return next;
  };
}
