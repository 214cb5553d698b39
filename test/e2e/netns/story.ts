/** The time of a test: half a dozen programs start in it, on a machine that may be busy with other tests. */
export const STORY_MILLISECONDS = 90_000;
