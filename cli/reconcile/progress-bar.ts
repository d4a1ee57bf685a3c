import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../../writer/reconcile/reconcile.ts';

const FORMAT = '{bar} {value} of {what}';
/** What takes no time needs no bar. */
const FEW_ORDERS = 50_000;

/** Shows on a terminal how far a long comparison is; elsewhere, and for little data, nothing. */
export class ProgressBar {
  readonly #bar: SingleBar | null;
  #what = '';

  constructor() {
    this.#bar = process.stderr.isTTY
      ? new SingleBar({ format: FORMAT, hideCursor: true, clearOnComplete: true }, Presets.shades_classic)
      : null;
  }

  /** Undefined where nobody looks: then nothing is counted either. */
  get listener(): ((progress: Progress) => void) | undefined {
    return this.#bar ? (progress) => this.#show(progress) : undefined;
  }

  stop(): void {
    this.#bar?.stop();
  }

  #show({ what, done, total }: Progress): void {
    if (this.#what === '' && total < FEW_ORDERS) return;
    if (what !== this.#what) this.#bar!.start(total, done, { what });
    else this.#bar!.update(done, { what });
    this.#what = what;
  }
}
