const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** How durations are written, for messages. */
export const DURATION_FORM = 'a number and a unit (ms, s, m or h), such as 500ms, 5s or 10m';

/** Milliseconds of a duration such as `5s`, or undefined if the text is none. Whole and decimal numbers, one unit. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
