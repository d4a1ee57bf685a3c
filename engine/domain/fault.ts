/** Certainly nothing was taken: the caller may simply try again. `message` says why. */
export class NotAccepting extends Error {
  override readonly name = 'NotAccepting';
}

/** The decision could not be learned in time: it may or may not have been made. `message` says why. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** A broken invariant or a mistake of this program, never of its caller. */
export class InternalFault extends Error {
  override readonly name: string = 'InternalFault';
}

/** MariaDB does not have a row that an entry changes: what should have made it was set aside, or is missing. */
export class MissingRows extends InternalFault {
  override readonly name = 'MissingRows';
}
