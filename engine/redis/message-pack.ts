import { Packr } from 'msgpackr';

/** Plain MessagePack without extensions, which Redis's cmsgpack reads; whole numbers come back as numbers. */
const packr = new Packr({ useRecords: false, int64AsType: 'number' });

/** Packs a script's argument. */
export function packMessage(value: unknown): Buffer {
  return packr.pack(value);
}

/** Reads a script's reply, a journal entry or a wishlist. */
export function unpackMessage(packed: Buffer): unknown {
  return packr.unpack(packed);
}
