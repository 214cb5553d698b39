/** What the runner is configured with (ssl/test/PORTING.md of BoringSSL). */
export interface RunnerConfig {
  /** A glob of case names, and why they are not run. */
  readonly DisabledTests: Readonly<Record<string, string>>;
  /** BoringSSL's name of an error, and what this shim says instead. */
  readonly ErrorMap: Readonly<Record<string, readonly string[]>>;
}

/** What a whole run came to; docs/reference/conformance.md is written from it. */
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

export const RESULT_FILE: URL = new URL('../data/bogo-result.json', import.meta.url);
