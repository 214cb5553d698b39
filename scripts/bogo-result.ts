/** What a whole run of BoringSSL's runner came to; docs/reference/conformance.md is written from it. */
export interface BogoResult {
  /** Of BoringSSL, whose runner it was. */
  readonly commit: string;
  readonly seconds: number;
  readonly workers: number;
  readonly cases: number;
  readonly passed: number;
  readonly failed: readonly string[];
  /** Names of cases by the reason. */
  readonly unimplemented: Readonly<Record<string, readonly string[]>>;
  /** Our own globs, without those of the scope. */
  readonly disabled: Readonly<Record<string, string>>;
}

/** Where `npm run conformance:bogo` writes it. */
export const BOGO_RESULT: URL = new URL('../test/conformance/data/bogo-result.json', import.meta.url);
