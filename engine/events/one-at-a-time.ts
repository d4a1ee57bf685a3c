/**
 * The same work, done for one caller after the other, in the order in which they asked. For what is decided under a revision: of
 * those who decide at once only one can be right, and the rest of them would decide again, and again.
 */
export function oneAtATime<Arguments extends unknown[], Result>(
  work: (...given: Arguments) => Promise<Result>,
): (...given: Arguments) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (...given) => {
    const result = last.then(() => work(...given));
    last = result.catch(() => undefined);
    return result;
  };
}
