import { type StoredEntry, UnknownFormat } from '../journal/entry.ts';
import { packMessage, unpackMessage } from '../redis/message-pack.ts';

/** The version of the format of an outbox row's content. */
const OUTBOX_FORMAT = 1;

/** A row costs MariaDB as much as a line of an order, so small entries share one. */
const ENTRIES_OF_ROW = 16;
/** Large ones do not: a page of rows is told as a whole. */
const BYTES_OF_ROW = 65_536;

/**
 * Entries as rows of the outbox, in order: `position` is that of a row's first entry, `content` a MessagePack array of the format
 * and, flat, of each entry its epoch, its sequence and its bytes.
 */
export function packEntries(entries: readonly StoredEntry[]): StoredEntry[] {
  return group(entries).map((some) => ({
    position: some[0]!.position,
    content: packMessage([
      OUTBOX_FORMAT,
      ...some.flatMap(({ position, content }) => [position.epoch, position.sequence, content]),
    ]),
  }));
}

/** Reads the `content` that `packEntries` wrote. Throws `UnknownFormat`. */
export function unpackEntries(content: Buffer): StoredEntry[] {
  const [format, ...flat] = unpackMessage(content) as [number, ...(number | Buffer)[]];
  if (format !== OUTBOX_FORMAT) {
    throw new UnknownFormat(
      `a row of the outbox has format ${String(format)}, this program reads ${OUTBOX_FORMAT}: upgrade it`,
    );
  }
  return Array.from({ length: flat.length / 3 }, (_, at) => {
    const [epoch, sequence, bytes] = flat.slice(3 * at, 3 * at + 3) as [number, number, Buffer];
    return { position: { epoch, sequence }, content: bytes };
  });
}

function group(entries: readonly StoredEntry[]): StoredEntry[][] {
  const groups: StoredEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = groups.at(-1);
    const fits = last && last.length < ENTRIES_OF_ROW && bytes + entry.content.length <= BYTES_OF_ROW;
    bytes = fits ? bytes + entry.content.length : entry.content.length;
    if (fits) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}
