import { showable } from './showable.ts';

/** The scripts and forms that Unicode's annex 11 calls wide, as far as texts have them: https://www.unicode.org/reports/tr11/ */
const WIDE =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Rows of cells as lines in which the columns stand below each other; whoever chose what is in a cell. */
export function alignColumns(cells: readonly (readonly string[])[]): string[] {
  const rows = cells.map((row) => row.map(showable));
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
  return rows.map((row) =>
    row
      .map((cell, column) => padTo(widths[column]!, cell))
      .join('  ')
      .trimEnd(),
  );
}

/** How many columns of a terminal it takes: two for a Korean syllable or an emoji. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of characters.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The cell with as many spaces behind it as fill so many columns. */
export function padTo(width: number, cell: string): string {
  return cell + ' '.repeat(width - widthOf(cell));
}
