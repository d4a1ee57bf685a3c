/**
 * What a terminal would obey rather than show, or not show at all: control characters, separators of lines, and those that only say how
 * others are to be shown (Unicode's Cf), the bidirectional ones of its annex 9 among them. But for the joiners and tags of which
 * letters and emoji are made: https://www.unicode.org/reports/tr51/#def_emoji_tag_sequence
 */
const UNSHOWN = /(?!\u200c|\u200d|[\u{e0020}-\u{e007f}])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text that somebody else chose, on one line and as a terminal can show it; what it would not show stands there as `\u{202e}`. */
export function showable(text: string): string {
  return text.replaceAll(UNSHOWN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
