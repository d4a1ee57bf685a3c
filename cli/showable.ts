/**
 * What a terminal would obey rather than show, control characters, and what turns the text around it, the
 * bidirectional ones of Unicode's annex 9 and its separators of lines: https://www.unicode.org/reports/tr9/#Directional_Formatting_Codes
 */
const OBEYED = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text that somebody else chose, on one line and as a terminal can show it; what it would obey is a `?`. */
export function showable(text: string): string {
  return text.replaceAll(OBEYED, '?');
}
