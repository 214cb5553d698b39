import { ALERTS } from '#handshake';

/** Stands for "there is none": a label that is always there keeps every series of a metric comparable. */
export const NONE = 'none';
/** Stands for whatever is in no table. */
export const OTHER = 'other';

/**
 * Metric labels come from closed tables only. Whatever a peer sends - names, numbers, identities - it can't add a time
 * series (CVE-2025-43915: an authority label that grew with requests). Reason codes come from the folders' reason tables,
 * which telemetry can't list, so their number and form are bounded here as well.
 */
export class ReasonLabels {
  readonly #seen = new Set<string>();

  /** The code, if it has the form of one in a reason table and there aren't more of them than tables can hold. */
  label(code: string | undefined): string {
    if (code === undefined) return NONE;
    if (this.#seen.has(code)) return code;
    if (this.#seen.size >= MOST_CODES || code.length > LONGEST_CODE || !CODE.test(code)) return OTHER;
    this.#seen.add(code);
    return code;
  }
}

/** Names of RFC 8446 6.2 only; a peer may send any of 256 numbers. */
export function alertLabel(name: string | undefined): string {
  if (name === undefined) return NONE;
  return Object.hasOwn(ALERTS, name) ? name : OTHER;
}

/** All reason tables of the project together have fewer rows. */
const MOST_CODES = 400;
const LONGEST_CODE = 64;
const CODE = /^[a-z0-9]+(-[a-z0-9]+)*$/;
