/** What one check found. */
export interface Finding {
  /** Names the check: an interface, for those who read the JSON. */
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed';
  /** One sentence: what is so. */
  readonly say: string;
  /** What to do; undefined where nothing is wrong. */
  readonly next?: string;
}

export function fine(check: string, say: string): Finding {
  return { check, result: 'ok', say };
}

export function warning(check: string, say: string, next: string): Finding {
  return { check, result: 'warning', say, next };
}

export function failed(check: string, say: string, next: string): Finding {
  return { check, result: 'failed', say, next };
}

/** What could not be read for it. */
export function unread(check: string, why: string): Finding {
  return failed(check, why, 'Nothing can be said of this before it can be read.');
}

/** At most a few names, so that a cluster of thousands stays readable. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

const MOST_NAMES = 5;
