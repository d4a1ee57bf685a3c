import { Presets, SingleBar } from 'cli-progress';

/** Says on standard error how far it is: a bar on a terminal, a line a run elsewhere. */
export class Progress {
  readonly #total: number;
  readonly #bar: SingleBar | null;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
    this.#bar = process.stderr.isTTY
      ? new SingleBar({ format: FORMAT, hideCursor: true }, Presets.shades_classic)
      : null;
    this.#bar?.start(total, 0, { what: 'starting servers' });
  }

  /** The next run begins; `what` it is, in a few words. */
  begin(what: string): void {
    if (this.#bar) this.#bar.update(this.#done, { what });
    else process.stderr.write(`${this.#done + 1}/${this.#total} ${what}\n`);
    this.#done += 1;
  }

  stop(): void {
    this.#bar?.update(this.#done, { what: 'done' });
    this.#bar?.stop();
  }
}

const FORMAT = '{bar} {value}/{total} runs, {eta_formatted} to go: {what}';
