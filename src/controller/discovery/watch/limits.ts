/** How lists and watches are asked for. */
export const WATCH_LIMITS = {
  /** Objects in one page of a list: what is in memory whole before it is trimmed. */
  pageObjects: 500,
  pageTimeoutMilliseconds: 30_000,
  /**
   * How long the server may keep a watch open. It sends a bookmark about once a minute and one shortly before it closes
   * a watch: closing earlier than the minute is what makes quiet watches heard of in time to count as fresh.
   */
  watchSeconds: 45,
  /** Share of it that is random, so that watches of many controllers don't come back together. */
  watchJitter: 0.3,
  /**
   * After a watch that came to its end the next goes on from there only if something was heard so lately; otherwise all is listed.
   * With a watch's whole time and its grace it is less than `freshMilliseconds`, with time left to list.
   */
  unheardMilliseconds: 5_000,
  /** How soon a kind is looked for again that the server does not have; its absence counts as fresh that long. */
  absentMilliseconds: 30_000,
  /** After the server should have closed a watch. */
  graceMilliseconds: 5_000,
  firstDelayMilliseconds: 500,
  longestDelayMilliseconds: 10_000,
  delayJitter: 0.5,
  /** A watch of which nothing was heard for so long no longer vouches for what it said. */
  freshMilliseconds: 60_000,
} as const;

export type WatchLimits = { readonly [Name in keyof typeof WATCH_LIMITS]: number };
