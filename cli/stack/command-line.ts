import { DEFAULT_DATA_DIRECTORY } from '../surroundings.ts';

/** A line for the shell that runs `bootakhae` with `words` beside the local stack whose data is in `dataDirectory`. */
export function commandLine(words: readonly string[], dataDirectory: string): string {
  const data = dataDirectory === DEFAULT_DATA_DIRECTORY ? [] : ['--data', dataDirectory];
  return ['npx', 'bootakhae', ...words, ...data].map(quoteWord).join(' ');
}

/** No shell makes anything of these where they stand in the middle of a line. */
const PLAIN = /^[\w./:@%+,-]+$/;

function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
