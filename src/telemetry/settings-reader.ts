/** Reads typed values out of environment variables and collects every mistake. An empty value counts as unset. */
export class SettingsReader {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #mistakes = new Set<string>();

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  get mistakes(): readonly string[] {
    return [...this.#mistakes];
  }

  mistake(text: string): void {
    this.#mistakes.add(text);
  }

  text(name: string): string | undefined {
    const value = this.#environment[name]?.trim();
    return value === '' ? undefined : value;
  }

  /** Only `true` is true; the specification forbids other truths. */
  boolean(name: string): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value !== undefined && value !== 'true' && value !== 'false') {
      this.mistake(`${name}=${value} is neither true nor false`);
    }
    return value === 'true';
  }

  choice<const T extends string>(name: string, known: readonly T[], fallback: NoInfer<T>): T {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const found = known.find((one) => one === value.toLowerCase());
    if (found === undefined)
      this.mistake(`${name}=${value} is not supported: use one of ${known.join(', ')}`);
    return found ?? fallback;
  }

  list(name: string, known: readonly string[]): readonly string[] {
    const values = (this.text(name) ?? '')
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '');
    for (const value of values) {
      if (!known.includes(value))
        this.mistake(`${name}=${value} is not supported: use one of ${known.join(', ')}`);
    }
    return values;
  }

  /** A whole number above 0. */
  integer(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
    this.mistake(`${name}=${value} is not a whole number from 1 to 999999999`);
    return fallback;
  }

  /** 0 to 1. */
  ratio(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    if (/^(0(\.\d+)?|1(\.0+)?)$/.test(value)) return Number(value);
    this.mistake(`${name}=${value} is not a share from 0 to 1, for instance 0.05`);
    return fallback;
  }

  /** An http or https address; `path` is appended to it. The text may hold a password, so mistakes don't repeat it. */
  url(name: string, fallback: string, path: string | undefined): string {
    const value = this.text(name) ?? fallback;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
      this.mistake(`${name} is not an http or https URL, for instance ${fallback}`);
      return fallback;
    }
    if (path !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
    return url.href;
  }

  /**
   * `key=value,key=value` with percent-encoded values (W3C Baggage, as the specification demands of headers and resource
   * attributes). Values are often credentials, so mistakes name the position only.
   */
  pairs(name: string): Readonly<Record<string, string>> {
    const pairs: [string, string][] = [];
    const entries = (this.text(name) ?? '').split(',').map((entry) => entry.trim());
    for (const [index, entry] of entries.entries()) {
      if (entry === '') continue;
      const pair = parsePair(entry);
      if (pair === undefined)
        this.mistake(`${name}: entry ${index + 1} is not key=value with percent-encoded value`);
      else pairs.push(pair);
    }
    return Object.fromEntries(pairs);
  }
}

function parsePair(entry: string): [string, string] | undefined {
  const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(entry) ?? [];
  if (key === undefined || value === undefined) return undefined;
  try {
    return [key, decodeURIComponent(value)];
  } catch {
    return undefined;
  }
}
