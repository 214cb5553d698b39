import type { ClientConfig, ServerConfig } from './config.ts';
import { DEFAULT_GROUPS, type GroupName } from './groups.ts';
import { DEFAULT_SCHEMES, type SchemeName } from './schemes.ts';
import { DEFAULT_SUITES, type SuiteName } from './suites.ts';

/** A configuration that the engine was given is wrong: a mistake of the program, told to it by an exception. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** The lists of a configuration with their defaults filled in and checked. */
export interface Parameters {
  readonly suites: readonly SuiteName[];
  readonly groups: readonly GroupName[];
  readonly schemes: readonly SchemeName[];
  readonly alpn: readonly string[];
}

export function parseParameters(config: ClientConfig | ServerConfig): Parameters {
  return Object.freeze({
    suites: nonEmpty('suites', config.suites ?? DEFAULT_SUITES),
    groups: nonEmpty('groups', config.groups ?? DEFAULT_GROUPS),
    schemes: nonEmpty('schemes', config.schemes ?? DEFAULT_SCHEMES),
    alpn: checkAlpn(config.alpn),
  });
}

/** RFC 6066 3: a DNS host name in ASCII without a trailing dot; "Literal IPv4 and IPv6 addresses are not permitted". */
export function checkServerName(name: string): string {
  if (name.length > 255 || !/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(name) || /^[0-9.]+$/.test(name)) {
    throw new ConfigError(`server name "${name}": want an ASCII host name, not an address`);
  }
  return name.toLowerCase();
}

/** At least one record must fit under a key, or nothing could ever be sent. */
export function checkRecordsPerKey(records: number): number {
  if (!Number.isSafeInteger(records) || records < 1) {
    throw new ConfigError(`recordsPerKey ${records}: want a whole number of at least 1`);
  }
  return records;
}

function nonEmpty<T>(what: string, list: readonly T[]): readonly T[] {
  if (list.length === 0) throw new ConfigError(`${what}: at least one must be allowed`);
  if (new Set(list).size !== list.length) throw new ConfigError(`${what}: one stands twice`);
  return Object.freeze([...list]);
}

function checkAlpn(protocols: readonly string[]): readonly string[] {
  for (const protocol of protocols) {
    if (!/^[\x21-\x7e]{1,255}$/.test(protocol)) {
      throw new ConfigError(`ALPN protocol "${protocol}": want 1 to 255 printable ASCII characters`);
    }
  }
  return Object.freeze([...protocols]);
}
