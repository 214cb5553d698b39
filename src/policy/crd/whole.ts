interface Payload {
  readonly value: unknown;
  readonly issues: readonly {
    readonly code?: string | undefined;
    readonly path?: readonly PropertyKey[] | undefined;
  }[];
}

/**
 * For a check across fields: let it run although a field has a mistake of its own, so that all mistakes show at once;
 * but not when a field is unknown, since what seems to be missing is then most likely that one.
 */
export const whenFieldsAreKnown = {
  when: ({ value, issues }: Payload): boolean =>
    typeof value === 'object' &&
    value !== null &&
    !issues.some(({ code, path }) => code === 'unrecognized_keys' && (path ?? []).length === 0),
};
