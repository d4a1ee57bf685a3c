/** An entry that was set aside cannot be replayed or dropped as things are: it stays as it is. `message` says why. */
export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused';
}
