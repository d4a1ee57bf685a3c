import { SqlError } from 'mariadb';

/**
 * What MariaDB says of rows that it will never take, whenever they come: SQLSTATE 22 (data) and 23 (constraints), and
 * these, which it files elsewhere. Everything else may pass: a deadlock, a lock that is held, a full disk, a server that is
 * read-only, stopping or gone.
 */
const REFUSED_STATES = /^2[23]/;
const REFUSED_NUMBERS: ReadonlySet<number> = new Set([
  1048, // ER_BAD_NULL_ERROR
  1062, // ER_DUP_ENTRY
  1264, // ER_WARN_DATA_OUT_OF_RANGE
  1265, // WARN_DATA_TRUNCATED
  1292, // ER_TRUNCATED_WRONG_VALUE
  1300, // ER_INVALID_CHARACTER_STRING
  1364, // ER_NO_DEFAULT_FOR_FIELD
  1366, // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
  1406, // ER_DATA_TOO_LONG
  1411, // ER_WRONG_VALUE_FOR_TYPE
  1690, // ER_DATA_OUT_OF_RANGE
  4025, // ER_CONSTRAINT_FAILED
]);
/** ER_NET_PACKET_TOO_LARGE of the server, which closes the connection then, and the connector's own, before it sends. */
const TOO_LARGE: ReadonlySet<number> = new Set([1153, 45_046]);

/** Whether MariaDB refuses a row for what it holds. A connection that broke says nothing about any row. */
export function isRefusedContent(error: unknown): boolean {
  if (!(error instanceof SqlError) || error.fatal) return false;
  return REFUSED_NUMBERS.has(error.errno) || REFUSED_STATES.test(error.sqlState ?? '');
}

/** Whether a statement was larger than MariaDB takes: in parts it may pass. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof SqlError && TOO_LARGE.has(error.errno);
}

const STATEMENT = /^\s*(insert(?: ignore)? into|update|delete from)\s+`?\w+`?/i;

/** What MariaDB calls an error (`ER_DUP_ENTRY`), or null where it is not MariaDB's. */
export function codeOf(error: unknown): string | null {
  return error instanceof SqlError ? (error.code ?? String(error.errno)) : null;
}

/** An error in a line: of MariaDB's, what it says and of which table, without the values of the statement. */
export function describeError(error: unknown): string {
  if (!(error instanceof SqlError)) return (error as Error).message;
  const [statement] = STATEMENT.exec(error.sql ?? '') ?? [];
  const said = error.sqlMessage ?? error.message;
  return statement ? `${said} (${statement})` : said;
}
