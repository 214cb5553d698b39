import type { Clock, Log } from '#runtime';
import { parseTrustDomain } from '../trust-domain.ts';
import type { Audit } from './audit.ts';
import type { StateDocument } from './state-document.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long certificates live, in milliseconds. */
export const LIFETIMES = {
  root: 3650 * DAY,
  intermediate: 30 * DAY,
  intermediateMost: 365 * DAY,
  leaf: 6 * HOUR,
  /** Shorter than this a leaf could end before a failed renewal is tried again. */
  leafLeast: 2 * MINUTE,
  /** There is no revocation list; a leaf that leaked is good for this long at most. */
  leafMost: 24 * HOUR,
  /** Clocks of peers may be behind ours by this much. */
  backdate: 5 * MINUTE,
} as const;

/** An intermediate is replaced when a third of its life is left (schedule.ts), and every leaf has to fit in that. */
const INTERMEDIATE_TO_LEAF = 3;

export interface AuthorityOptions {
  /** Folder of the authority's state, for it alone. Made (0700) if it isn't there. This or `document`. */
  readonly directory?: string;
  /** What holds the state of an authority that several processes share. */
  readonly document?: StateDocument;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly log: Log;
  /** 2 minutes to 24 hours; default 6 hours. */
  readonly leafLifetimeMilliseconds?: number;
  /** At least three times the leaf's, at most a year; default 30 days. */
  readonly intermediateLifetimeMilliseconds?: number;
  /** Takes the record of each certificate before it is handed out. Default: a line in `log`. */
  readonly audit?: Audit;
}

export interface AuthorityConfig {
  readonly trustDomain: string;
  readonly leafLifetime: number;
  readonly intermediateLifetime: number;
}

/** Why an authority cannot start: its configuration or its state. The message says what to do. */
export class AuthorityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AuthorityError';
  }
}

/** Throws one AuthorityError with every mistake. */
export function parseAuthorityConfig(options: AuthorityOptions): AuthorityConfig {
  const mistakes: string[] = [];
  const domain = parseTrustDomain(options.trustDomain);
  if (!domain.ok) mistakes.push(`trustDomain: ${domain.error}`);
  if (options.directory === '') mistakes.push('directory: it is empty');
  if ((options.directory === undefined) === (options.document === undefined)) {
    mistakes.push('directory, document: give one of them');
  }
  const leaf = options.leafLifetimeMilliseconds ?? LIFETIMES.leaf;
  if (!(leaf >= LIFETIMES.leafLeast && leaf <= LIFETIMES.leafMost)) {
    mistakes.push(`leafLifetimeMilliseconds: ${leaf} is not from 2 minutes to 24 hours`);
  }
  const intermediate = options.intermediateLifetimeMilliseconds ?? LIFETIMES.intermediate;
  if (!(intermediate >= INTERMEDIATE_TO_LEAF * leaf && intermediate <= LIFETIMES.intermediateMost)) {
    mistakes.push(
      `intermediateLifetimeMilliseconds: ${intermediate} is not from ${INTERMEDIATE_TO_LEAF} times the leaf's (${leaf}) to a year`,
    );
  }
  if (mistakes.length > 0)
    throw new AuthorityError(`the authority cannot start:\n  ${mistakes.join('\n  ')}`);
  return Object.freeze({
    trustDomain: options.trustDomain,
    leafLifetime: leaf,
    intermediateLifetime: intermediate,
  });
}
