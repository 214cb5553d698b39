/**
 * The command line of a BoGo shim (ssl/test/PORTING.md of BoringSSL). A flag that this shim does not know, or knows
 * as something the engine does not do, is `Unimplemented` with its reason: the runner is told so by exit code 89.
 */

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
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly signingPreferences: readonly number[];
  readonly ocspResponse: Uint8Array | undefined;
  readonly mustMatchIssuer: boolean;
}

/** The runner's connections differ: the first, those that resume, and what follows refused early data. */
export type Scope = 'initial' | 'resume' | 'retry';

export class Unimplemented extends Error {}

type Argument = readonly [name: string, value: string];

/** Reads the arguments once; `options` gives what holds for a connection. */
export class CommandLine {
  readonly #arguments: readonly (readonly [Scope | undefined, Argument])[];

  constructor(argv: readonly string[]) {
    this.#arguments = parse(argv);
  }

  options(scope: Scope): Options {
    const given = this.#arguments.filter(([only]) => only === undefined || only === scope);
    return select(given.map(([, argument]) => argument));
  }
}

function parse(argv: readonly string[]): (readonly [Scope | undefined, Argument])[] {
  const found: (readonly [Scope | undefined, Argument])[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const whole = argv[index]!;
    const [, prefix, bare] = /^-(?:on-(initial|resume|retry|shim|handshaker)-)?(.*)$/.exec(whole) ?? [];
    if (bare === undefined) throw new Unimplemented(`argument ${whole}`);
    const why = REFUSED[bare];
    if (why !== undefined && prefix !== 'handshaker') throw new Unimplemented(`-${bare}: ${why}`);
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
  return found;
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

/** Flags of a credential belong to the last `-new-x509-credential` before them, or to the default one. */
function credentialsOf(given: readonly Argument[]): CredentialOptions[] {
  const lists: Argument[][] = [[]];
  for (const argument of given) {
    if (argument[0] === 'new-x509-credential') lists.push([]);
    else lists.at(-1)!.push(argument);
  }
  const credentials = lists.map((list, position): CredentialOptions => {
    const last = (flag: string): string | undefined => list.findLast(([name]) => name === flag)?.[1];
    const ocsp = last('ocsp-response');
    return {
      index: position - 1,
      certificateFile: last('cert-file'),
      keyFile: last('key-file'),
      signingPreferences: list.filter(([name]) => name === 'signing-prefs').map(([, value]) => Number(value)),
      ocspResponse: ocsp === undefined ? undefined : new Uint8Array(Buffer.from(ocsp, 'base64')),
      mustMatchIssuer: list.some(([name]) => name === 'must-match-issuer'),
    };
  });
  return credentials.filter(({ certificateFile }) => certificateFile !== undefined);
}

function isOneOf<T extends string>(list: readonly T[], name: string): name is T {
  return (list as readonly string[]).includes(name);
}

/** What needs something that the engine does not do, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  'no-tls13': 'TLS 1.2 is not spoken',
  'false-start': 'False Start belongs to TLS 1.2',
  'advertise-npn': 'Next Protocol Negotiation was never standardized',
  'select-next-proto': 'Next Protocol Negotiation was never standardized',
  'renegotiate-freely': 'TLS 1.3 has no renegotiation',
  'renegotiate-once': 'TLS 1.3 has no renegotiation',
  'renegotiate-ignore': 'TLS 1.3 has no renegotiation',
  'renegotiate-explicit': 'TLS 1.3 has no renegotiation',
  'expect-total-renegotiations': 'TLS 1.3 has no renegotiation',
  'forbid-renegotiation-after-handshake': 'TLS 1.3 has no renegotiation',
  'no-legacy-server-connect': 'TLS 1.3 has no renegotiation',
  'fallback-scsv': 'a client that speaks one version never falls back',
  psk: 'PSK suites belong to TLS 1.2',
  'psk-identity': 'PSK suites belong to TLS 1.2',
  'enable-grease': 'GREASE (RFC 8701) is not sent',
  'permute-extensions': 'extensions stand in a fixed order',
  'application-settings': 'ALPS was never standardized',
  'alps-use-new-codepoint': 'ALPS was never standardized',
  'expect-peer-application-settings': 'ALPS was never standardized',
  'expect-signed-cert-timestamps': 'signed certificate timestamps are not asked for',
  'retain-only-sha256-client-cert': 'an interface of BoringSSL',
  'expect-sha256-client-cert': 'an interface of BoringSSL',
  'expect-msg-callback': 'an interface of BoringSSL',
  'new-delegated-credential': 'delegated credentials (RFC 9345) are not offered',
  'expect-resumable-across-names': 'the ticket flags extension is a draft',
  'expect-not-resumable-across-names': 'the ticket flags extension is a draft',
  'resumption-across-names-enabled': 'the ticket flags extension is a draft',
  'curves-flags': 'groups have one order of preference',
  'new-psk-credential': 'pre-shared keys are not offered',
  'fail-early-callback': 'nothing is asked before a hello is answered',
  'fail-ddos-callback': 'nothing is asked before a hello is answered',
  'expect-peer-verify-pref': 'the offered schemes are not shown',
  'expect-client-ca-list': 'the authorities that a peer names are not shown',
  'no-server-name-ack': 'a server name that is used is acknowledged',
  'allow-unknown-alpn-protos': 'a protocol that was not offered is always refused',
  'select-empty-alpn': 'an empty protocol name is a mistake in the configuration',
  'handshake-twice': 'an interface of BoringSSL',
  'use-exporter-between-reads': 'an interface of BoringSSL',
  dtls: 'DTLS is not spoken',
  'enable-early-data': 'early data is not driven by the shim',
  'expect-accept-early-data': 'early data is not driven by the shim',
  'expect-no-offer-early-data': 'early data is not driven by the shim',
  'expect-reject-early-data': 'early data is not driven by the shim',
  'expect-ticket-supports-early-data': 'early data is not driven by the shim',
  'early-write-after-message': 'early data is not driven by the shim',
  'expect-early-data-reason': 'early data is not driven by the shim',
  'reverify-on-resume': 'the shim does not tell verifications apart',
  'expect-ticket-age-skew': 'the skew of a ticket is not shown',
  'resumption-delay': 'the clock is not turned',
  'ticket-key': 'ticket keys are not given from outside',
};

const SWITCHES = [
  'async',
  'check-close-notify',
  'decline-alpn',
  'decline-ocsp-callback',
  'enable-ocsp-stapling',
  'enable-signed-cert-timestamps',
  'expect-extended-master-secret',
  'expect-hrr',
  'expect-no-hrr',
  'expect-no-peer-cert',
  'expect-no-secure-renegotiation',
  'expect-no-session',
  'expect-no-session-id',
  'expect-secure-renegotiation',
  'expect-session-id',
  'expect-session-miss',
  'expect-ticket-renewal',
  'expect-verify-result',
  'export-traffic-secrets',
  'fail-cert-callback',
  'fail-ocsp-callback',
  'handshake-never-done',
  'implicit-handshake',
  'install-ddos-callback',
  'ipv6',
  'is-handshaker-supported',
  'key-update',
  'key-update-before-read',
  'must-match-issuer',
  'new-x509-credential',
  'no-key-shares',
  'no-op-extra-handshake',
  'no-ticket',
  'no-tls1',
  'no-tls11',
  'no-tls12',
  'psk-importer-sha256',
  'psk-importer-sha384',
  'read-with-unfinished-write',
  'reject-alpn',
  'require-any-client-certificate',
  'send-alert',
  'server',
  'server-preference',
  'set-ocsp-in-callback',
  'shim-shuts-down',
  'shim-writes-first',
  'use-custom-verify-callback',
  'use-early-callback',
  'use-export-context',
  'use-ocsp-callback',
  'use-old-client-cert-callback',
  'verify-fail',
  'verify-peer',
] as const;

const VALUED = [
  'advertise-alpn',
  'cert-file',
  'cipher',
  'curves',
  'expect-advertised-alpn',
  'expect-alpn',
  'expect-cipher',
  'expect-cipher-aes',
  'expect-cipher-no-aes',
  'expect-curve-id',
  'expect-ocsp-response',
  'expect-peer-cert-file',
  'expect-peer-signature-algorithm',
  'expect-selected-credential',
  'expect-server-name',
  'expect-version',
  'export-context',
  'export-keying-material',
  'export-label',
  'host-name',
  'key-file',
  'key-shares',
  'max-cert-list',
  'max-send-fragment',
  'max-version',
  'min-version',
  'ocsp-response',
  'port',
  'psk-importer-context',
  'psk-importer-identity',
  'psk-importer-key',
  'read-size',
  'repeat-shim-initial-write',
  'resume-count',
  'select-alpn',
  'shim-id',
  'shim-initial-write',
  'signed-cert-timestamps',
  'signing-prefs',
  'trust-cert',
  'use-client-ca-list',
  'verify-prefs',
  'write-settings',
] as const;

type Switch = (typeof SWITCHES)[number];
type Valued = (typeof VALUED)[number];
