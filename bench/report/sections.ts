import { growthSection } from './growth-section.ts';
import { overloadSection } from './overload-section.ts';
import type { Report } from './report.ts';
import type { Section } from './section.ts';

/** The parts of the report beside the comparison: those that were asked for. */
export function sectionsOf({ growth, overload }: Report): Section[] {
  return [...(growth ? [growthSection(growth)] : []), ...(overload ? [overloadSection(overload)] : [])];
}
