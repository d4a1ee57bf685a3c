import { CommandFailure } from './failure.ts';

process.stdout.on('error', () => undefined); // whoever prints is told

/**
 * Prints a line, and resolves when the operating system has it: what may be done only to what was printed waits for this.
 * Rejects with `CommandFailure` where the disk is full or nobody reads any more, of which `console.log` says nothing.
 */
export async function print(line: string): Promise<void> {
  const fault = await new Promise<Error | null | undefined>((resolve) => {
    process.stdout.write(`${line}\n`, resolve);
  });
  if (fault) throw new CommandFailure(`the output cannot be written: ${fault.message}`);
}
