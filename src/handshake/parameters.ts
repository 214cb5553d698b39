import type { ClientConfig, ServerConfig } from './config.ts';
import { type Credential, credentialList } from './credentials/signer.ts';
import { DEFAULT_GROUPS, DEFAULT_KEY_SHARES, type GroupName } from './groups.ts';
import { offersGroup } from './key-exchange.ts';
import { MAX_PLAINTEXT } from './limits.ts';
import {
  type CertificateSchemeName,
  DEFAULT_CERTIFICATE_SCHEMES,
  DEFAULT_SCHEMES,
  type SchemeName,
} from './schemes.ts';
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
  readonly certificateSchemes: readonly CertificateSchemeName[];
  readonly alpn: readonly string[];
  readonly credentials: readonly Credential[];
}

export function parseParameters(config: ClientConfig | ServerConfig): Parameters {
  const { crypto } = config;
  const offered = <T extends string>(
    what: string,
    list: readonly T[] | undefined,
    fallback: readonly T[],
    isOffered: (name: T) => boolean,
  ): readonly T[] => {
    const missing = list?.find((name) => !isOffered(name));
    if (missing !== undefined) {
      throw new ConfigError(`${what}: the provider ${crypto.name} does not offer ${missing}`);
    }
    return nonEmpty(what, list ?? fallback.filter(isOffered));
  };
  return Object.freeze({
    suites: offered('suites', config.suites, DEFAULT_SUITES, (name) => crypto.suites.includes(name)),
    groups: offered('groups', config.groups, DEFAULT_GROUPS, (name) => offersGroup(crypto, name)),
    schemes: offered('schemes', config.schemes, DEFAULT_SCHEMES, (name) => crypto.schemes.includes(name)),
    certificateSchemes: nonEmpty(
      'certificateSchemes',
      config.certificateSchemes ?? DEFAULT_CERTIFICATE_SCHEMES,
    ),
    alpn: checkAlpn(config.alpn),
    credentials: checkCredentials(credentialList(config.credential)),
  });
}

/** `groups` are the checked ones. May be empty: the client then lets the server choose by a HelloRetryRequest. */
export function parseKeyShares(
  wanted: readonly GroupName[] | undefined,
  groups: readonly GroupName[],
): readonly GroupName[] {
  if (wanted === undefined) {
    const usual = groups.filter((name) => DEFAULT_KEY_SHARES.includes(name));
    return Object.freeze(usual.length > 0 ? usual : groups.slice(0, 1));
  }
  const stranger = wanted.find((name) => !groups.includes(name));
  if (stranger !== undefined) throw new ConfigError(`keyShares: ${stranger} is not among the groups`);
  // RFC 8446 4.2.8: the shares stand in the order of supported_groups, each group at most once.
  const ordered = groups.filter((name) => wanted.includes(name));
  if (ordered.length !== wanted.length) throw new ConfigError('keyShares: one stands twice');
  return Object.freeze(ordered);
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

/** RFC 8449 4: no endpoint need accept less than 64 bytes at once, and none more than 2^14. */
export function checkMaxFragment(bytes: number): number {
  if (!Number.isInteger(bytes) || bytes < 64 || bytes > MAX_PLAINTEXT) {
    throw new ConfigError(`maxFragment ${bytes}: want 64 to ${MAX_PLAINTEXT} bytes`);
  }
  return bytes;
}

export function checkPadTo(bytes: number): number {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_PLAINTEXT) {
    throw new ConfigError(`padTo ${bytes}: want 1 to ${MAX_PLAINTEXT} bytes`);
  }
  return bytes;
}

function checkCredentials(credentials: readonly Credential[]): readonly Credential[] {
  if (credentials.some(({ chain }) => chain.length === 0))
    throw new ConfigError('a credential without a certificate');
  return Object.freeze([...credentials]);
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
