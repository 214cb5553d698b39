/**
 * The command line of a BoGo shim (ssl/test/PORTING.md of BoringSSL). A flag that this shim does not know, or knows
 * as something the engine does not do, is `Unimplemented` with its reason: the runner is told so by exit code 89.
 */

import { REFUSED, SWITCHES, type Switch, VALUED, type Valued } from './known-flags.ts';

/** What a connection of a case is asked to do and to expect. */
export interface Options {
  has(flag: Switch): boolean;
  text(flag: Valued): string | undefined;
  number(flag: Valued): number | undefined;
  /** Every value of a flag that may be given several times; undefined if it wasn't. */
  numbers(flag: Valued): readonly number[] | undefined;
  readonly credentials: readonly CredentialOptions[];
}

/** One credential; the first of a case's has no `-new-...` flag before it and index -1. */
export interface CredentialOptions {
  readonly index: number;
  /** Set for `-new-psk-credential`: a key from outside (RFC 9258). */
  readonly psk: PskOptions | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly signingPreferences: readonly number[];
  readonly ocspResponse: Uint8Array | undefined;
  readonly mustMatchIssuer: boolean;
}

export interface PskOptions {
  readonly key: Uint8Array;
  readonly identity: Uint8Array;
  readonly context: Uint8Array;
  readonly hash: 'sha256' | 'sha384';
}

/** The runner's connections differ: the first, those that resume, and what follows refused early data. */
export type Scope = 'initial' | 'resume' | 'retry';

/** The engine does not do what the case needs. */
export class Unimplemented extends Error {}

/** The case failed; the runner compares the text with what it expects. */
export class CaseFailed extends Error {}

type Argument = readonly [name: string, value: string];

/** Reads the arguments once; `options` gives what holds for a connection. */
export class CommandLine {
  /** The reason of the first flag that asks for what the engine does not do. */
  readonly refused: string | undefined;
  readonly #arguments: readonly (readonly [Scope | undefined, Argument])[];

  constructor(argv: readonly string[]) {
    const { found, refused } = parse(argv);
    this.#arguments = found;
    this.refused = refused;
  }

  options(scope: Scope): Options {
    const given = this.#arguments.filter(([only]) => only === undefined || only === scope);
    return select(given.map(([, argument]) => argument));
  }
}

function parse(argv: readonly string[]) {
  let refused: string | undefined;
  const found: (readonly [Scope | undefined, Argument])[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const whole = argv[index]!;
    const [, prefix, bare] = /^-(?:on-(initial|resume|retry|shim|handshaker)-)?(.*)$/.exec(whole) ?? [];
    if (bare === undefined) throw new Unimplemented(`argument ${whole}`);
    const refusal = REFUSED[bare];
    if (refusal !== undefined) {
      const [values, why] = refusal;
      index += values;
      if (prefix !== 'handshaker') refused ??= `-${bare}: ${why}`;
      continue;
    }
    const valued = isOneOf(VALUED, bare);
    if (!valued && !isOneOf(SWITCHES, bare)) throw new Unimplemented(`-${bare}: not known`);
    let value = '';
    if (valued) {
      index += 1;
      value = argv[index] ?? '';
    }
    if (prefix === 'handshaker') continue;
    found.push([prefix === 'shim' ? undefined : (prefix as Scope | undefined), [bare, value]]);
  }
  return { found, refused };
}

function select(given: readonly Argument[]): Options {
  const values = (flag: string): string[] =>
    given.filter(([name]) => name === flag).map(([, value]) => value);
  return {
    has: (flag) => values(flag).length > 0,
    text: (flag) => values(flag).at(-1),
    number: (flag) => toNumber(values(flag).at(-1)),
    numbers: (flag) => {
      const all = values(flag);
      return all.length === 0 ? undefined : all.map(Number);
    },
    credentials: credentialsOf(given),
  };
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Flags of a credential belong to the last `-new-...-credential` before them, or to the default one. */
function credentialsOf(given: readonly Argument[]): CredentialOptions[] {
  const lists: Argument[][] = [[]];
  for (const argument of given) {
    if (/^new-.*-credential$/.test(argument[0])) lists.push([argument]);
    else lists.at(-1)!.push(argument);
  }
  const credentials = lists.map((list, position): CredentialOptions => {
    const last = (flag: string): string | undefined => list.findLast(([name]) => name === flag)?.[1];
    const ocsp = last('ocsp-response');
    return {
      index: position - 1,
      psk: last('new-psk-credential') === undefined ? undefined : pskOf(last),
      certificateFile: last('cert-file'),
      keyFile: last('key-file'),
      signingPreferences: list.filter(([name]) => name === 'signing-prefs').map(([, value]) => Number(value)),
      ocspResponse: ocsp === undefined ? undefined : fromBase64(ocsp),
      mustMatchIssuer: last('must-match-issuer') !== undefined,
    };
  });
  return credentials.filter(({ certificateFile, psk }) => certificateFile !== undefined || psk !== undefined);
}

function pskOf(last: (flag: string) => string | undefined): PskOptions {
  return {
    key: fromBase64(last('psk-importer-key') ?? ''),
    identity: fromBase64(last('psk-importer-identity') ?? ''),
    context: fromBase64(last('psk-importer-context') ?? ''),
    hash: last('psk-importer-sha384') === undefined ? 'sha256' : 'sha384',
  };
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function isOneOf<T extends string>(list: readonly T[], name: string): name is T {
  return (list as readonly string[]).includes(name);
}
