import { constants, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat, EMPTY, fromAscii } from '#runtime';
import type { AlertName } from './alert.ts';
import { MAX_CERTIFICATES } from './limits.ts';
import { encodeCertificate } from './messages/certificate.ts';
import { encodeCertificateRequest } from './messages/certificate-request.ts';
import { encodeCertificateVerify } from './messages/certificate-verify.ts';
import { HANDSHAKE_TYPES, type MessageName } from './messages/names.ts';
import type { ReasonCode } from './reasons.ts';
import { CERTIFICATE_ONLY_SCHEMES, SCHEMES, type SchemeName } from './schemes.ts';
import {
  credentialOf,
  credentialWith,
  FakeVerifier,
  type Identity,
  identity,
  makeIdentity,
} from './testing/credentials.ts';
import { needsScheme } from './testing/provider.ts';
import { type Tamper, TamperingEngine, tamperWith } from './testing/tampering-engine.ts';
import {
  attack,
  type Configs,
  expectRefusal,
  type Victim,
  victimClient,
  victimServer,
} from './testing/victim.ts';
import { flip, handshakeMessage } from './testing/wire.ts';
import { u8, u16, vector8, vector16, vector24 } from './wire/writer.ts';

const ROLES = ['client', 'server'] as const;
type Role = (typeof ROLES)[number];

/** A victim whose peer sends `body` instead of one of its messages. */
function given(role: Role, name: MessageName, body: Uint8Array, configs: Configs = {}): Victim {
  return attacked(role, () => [handshakeMessage(HANDSHAKE_TYPES[name], body)], name, configs);
}

function attacked(
  role: Role,
  change: (message: Uint8Array) => readonly Uint8Array[],
  name: MessageName,
  configs: Configs = {},
): Victim {
  const tamper = tamperWith(name, change);
  return role === 'client'
    ? attack(victimClient(configs.client), TamperingEngine.server(tamper, 'sent', configs.server))
    : attack(victimServer(configs.server), TamperingEngine.client(tamper, 'sent', configs.client));
}

const peerOf = (role: Role): 'client' | 'server' => (role === 'client' ? 'server' : 'client');

/** The victim's peer shows `shown` and signs as told; the victim's verifier believes `shown`. */
function signingPeer(
  role: Role,
  shown: Identity,
  signAs: (scheme: SchemeName, message: Uint8Array) => Uint8Array,
): Configs {
  const verifier = new FakeVerifier([shown]);
  const credential = credentialWith(shown, signAs);
  return role === 'client'
    ? { client: { verifier }, server: { credential } }
    : {
        client: { credential },
        server: { clientAuthentication: { mode: 'request', required: true, verifier } },
      };
}

const entry = (der: Uint8Array, extensions: Uint8Array = u16(0)) => concat(vector24(der), extensions);
const certificate = (context: Uint8Array, ...entries: Uint8Array[]) =>
  concat(vector8(context), vector24(...entries));

type Row = readonly [title: string, body: Uint8Array, code: ReasonCode, alert: AlertName];

const CERTIFICATES: readonly Row[] = [
  ['a context (4.4.2)', encodeCertificate(u8(1), [u8(1)]), 'illegal-parameter', 'illegal_parameter'],
  ['an empty certificate', certificate(EMPTY, entry(EMPTY)), 'malformed-message', 'decode_error'],
  [
    'a certificate without its extensions',
    certificate(EMPTY, vector24(u8(1))),
    'malformed-message',
    'decode_error',
  ],
  [
    'too many certificates',
    encodeCertificate(
      EMPTY,
      Array.from({ length: MAX_CERTIFICATES + 1 }, () => u8(1)),
    ),
    'message-too-large',
    'illegal_parameter',
  ],
  [
    'an OCSP response that was not asked for (4.4.2)',
    certificate(EMPTY, entry(u8(1), vector16(u16(5), vector16()))),
    'unsolicited-extension',
    'unsupported_extension',
  ],
  [
    'an unknown extension (4.2)',
    certificate(EMPTY, entry(u8(1), vector16(u16(0x7a7a), vector16()))),
    'unsolicited-extension',
    'unsupported_extension',
  ],
  [
    'an extension of another message (4.2)',
    certificate(EMPTY, entry(u8(1), vector16(u16(51), vector16()))),
    'misplaced-extension',
    'illegal_parameter',
  ],
  [
    'an extension twice (4.2)',
    certificate(EMPTY, entry(u8(1), vector16(u16(5), vector16(), u16(5), vector16()))),
    'duplicate-extension',
    'decode_error',
  ],
];

for (const role of ROLES) {
  const shown = identity(peerOf(role));
  const honestSigner = (scheme: SchemeName, message: Uint8Array) =>
    credentialOf(shown).signer.sign(scheme, message) as Uint8Array;

  describe(`a ${role} refuses a Certificate with`, () => {
    it.each(CERTIFICATES)('%s', (_title, body, code, alert) => {
      expectRefusal(given(role, 'certificate', body), code, alert);
    });

    it('a chain that the verifier does not believe, for the reason of the verifier', () => {
      const body = encodeCertificate(EMPTY, [fromAscii('who is this?')]);
      expectRefusal(given(role, 'certificate', body), 'unknown-test-certificate', 'unknown_ca');
    });
  });

  describe(`a ${role} refuses a CertificateVerify (RFC 8446 4.4.3)`, () => {
    const cases: readonly [string, (scheme: SchemeName, message: Uint8Array) => Uint8Array][] = [
      [
        'by another key: CVE-2014-1266',
        (scheme, message) => credentialOf(identity('stranger')).signer.sign(scheme, message) as Uint8Array,
      ],
      [
        'over the context string of the other side',
        (scheme, message) => honestSigner(scheme, swapContext(message)),
      ],
      [
        'over another transcript',
        (scheme, message) => honestSigner(scheme, flip(message, message.length - 1)),
      ],
      ['over the transcript hash alone', (scheme, message) => honestSigner(scheme, message.subarray(-32))],
      ['of zeros', () => new Uint8Array(64)],
      ['that is empty', () => EMPTY],
      ['with a byte too many', (scheme, message) => concat(honestSigner(scheme, message), u8(0))],
      ['with a changed byte', (scheme, message) => flip(honestSigner(scheme, message), 12)],
    ];

    it.each(cases)('%s', (_title, signAs) => {
      const victim = attacked(role, (message) => [message], 'finished', signingPeer(role, shown, signAs));
      expectRefusal(victim, 'incorrect-signature', 'decrypt_error');
      expect(victim.connection.peer).toBeUndefined();
    });

    it('of RSA with a salt of another length (4.2.3)', (context) => {
      needsScheme(context, 'rsa_pss_rsae_sha256');
      const rsa = identity(peerOf(role), 'rsa');
      const configs = signingPeer(role, rsa, (_scheme, message) =>
        sign('sha256', message, {
          key: rsa.privateKey,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: 20,
        }),
      );
      expectRefusal(
        attacked(role, (message) => [message], 'finished', configs),
        'incorrect-signature',
        'decrypt_error',
      );
    });

    it('of RSA with PKCS#1 padding (4.2.3)', (context) => {
      needsScheme(context, 'rsa_pss_rsae_sha256');
      const rsa = identity(peerOf(role), 'rsa');
      const configs = signingPeer(role, rsa, (_scheme, message) => sign('sha256', message, rsa.privateKey));
      expectRefusal(
        attacked(role, (message) => [message], 'finished', configs),
        'incorrect-signature',
        'decrypt_error',
      );
    });

    it.each([0x0603, 0x080c, 0x0000, 0xffff])(
      'with scheme %i, which is not for TLS 1.3 or unknown (4.2.3, CVE-2022-25638)',
      (scheme) => {
        const body = encodeCertificateVerify({ scheme, signature: new Uint8Array(64) });
        expectRefusal(given(role, 'certificate_verify', body), 'unoffered-scheme', 'illegal_parameter');
      },
    );

    it.each([
      [0x0201, 'sha1-signature-chosen'],
      [0x0203, 'sha1-signature-chosen'],
      [0x0101, 'md5-signature-chosen'],
      [0x0402, 'dsa-signature-chosen'],
    ] as const)('with the weak scheme %i, by the name of %s', (scheme, code) => {
      const body = encodeCertificateVerify({ scheme, signature: new Uint8Array(64) });
      expectRefusal(given(role, 'certificate_verify', body), code, 'illegal_parameter');
    });

    it.for(Object.entries(CERTIFICATE_ONLY_SCHEMES))(
      'with %s, which we offer for certificates and which may sign nothing else (4.2.3)',
      ([_name, { id }], context) => {
        needsScheme(context, 'rsa_pss_rsae_sha256');
        const rsa = identity(peerOf(role), 'rsa');
        const configs = signingPeer(role, rsa, (_scheme, message) => sign('sha256', message, rsa.privateKey));
        const signature = sign('sha256', new Uint8Array(1), rsa.privateKey);
        const body = encodeCertificateVerify({ scheme: id, signature });
        const victim = given(role, 'certificate_verify', body, configs);
        expectRefusal(victim, 'certificate-only-scheme', 'illegal_parameter');
      },
    );

    it('with a scheme that we have but did not offer (CVE-2022-25638)', () => {
      const schemes = ['ecdsa_secp256r1_sha256'] as const;
      const body = encodeCertificateVerify({ scheme: SCHEMES.ed25519.id, signature: new Uint8Array(64) });
      const victim = given(role, 'certificate_verify', body, { client: { schemes }, server: { schemes } });
      expectRefusal(victim, 'unoffered-scheme', 'illegal_parameter');
    });

    it.for(Object.entries(SCHEMES).filter(([, { key }]) => key !== 'ec-p256'))(
      'with %s, which does not fit a P-256 key (4.2.3, CVE-2022-25638)',
      ([name, { id }], context) => {
        needsScheme(context, name as SchemeName);
        const body = encodeCertificateVerify({ scheme: id, signature: new Uint8Array(64) });
        expectRefusal(given(role, 'certificate_verify', body), 'scheme-key-mismatch', 'illegal_parameter');
      },
    );
  });

  describe(`a ${role} refuses a Finished (RFC 8446 4.4.4)`, () => {
    it.each([
      ['of zeros', () => new Uint8Array(32)],
      ['that is empty', () => EMPTY],
      ['with its first byte changed', (body: Uint8Array) => flip(body, 0)],
      ['with its last bit changed', (body: Uint8Array) => flip(body, 31, 0x80)],
      ['of another length', (body: Uint8Array) => concat(body, body.subarray(0, 16))],
    ])('%s', (_title, change) => {
      const victim = attacked(
        role,
        (message) => [handshakeMessage(HANDSHAKE_TYPES.finished, change(message.subarray(4)))],
        'finished',
      );
      expectRefusal(victim, 'incorrect-finished', 'decrypt_error');
      expect(victim.connection.established).toBe(false);
    });
  });
}

function swapContext(message: Uint8Array): Uint8Array {
  const text = Buffer.from(message).toString('latin1');
  const swapped = text.includes('server')
    ? text.replace('server', 'client')
    : text.replace('client', 'server');
  return fromAscii(swapped);
}

describe('a client', () => {
  it('refuses a server without a certificate (4.4.2.4)', () => {
    expectRefusal(
      given('client', 'certificate', encodeCertificate(EMPTY, [])),
      'server-certificate-missing',
      'decode_error',
    );
  });

  it.each<Row>([
    [
      'without signature_algorithms (4.3.2)',
      concat(vector8(), vector16()),
      'missing-extension',
      'missing_extension',
    ],
    [
      'with a context (4.3.2)',
      concat(
        vector8(u8(1)),
        encodeCertificateRequest({
          schemes: [0x0403],
          certificateSchemes: [0x0403],
          wantsStatus: false,
        }).subarray(1),
      ),
      'illegal-parameter',
      'illegal_parameter',
    ],
    [
      'with no scheme',
      concat(vector8(), vector16(u16(13), vector16(vector16()))),
      'malformed-message',
      'decode_error',
    ],
    [
      'with an extension of another message',
      concat(vector8(), vector16(u16(51), vector16())),
      'misplaced-extension',
      'illegal_parameter',
    ],
  ])('refuses a CertificateRequest %s', (_title, body, code, alert) => {
    expectRefusal(given('client', 'certificate_request', body), code, alert);
  });

  it('answers with an empty Certificate if it has none (4.4.2.3)', () => {
    const configs: Configs = { client: { credential: undefined as never } };
    const sent: MessageName[] = [];
    const tamper: Tamper = (name, message) => {
      sent.push(name);
      return [message];
    };
    const victim = victimServer(configs.server);
    attack(victim, TamperingEngine.client(tamper, 'original', configs.client));
    expect(sent).toEqual(['client_hello', 'certificate', 'finished']);
    expectRefusal(victim, 'certificate-required', 'certificate_required');
  });
});

describe('a server', () => {
  it('CVE-2022-25640: does not believe a client that leaves out its CertificateVerify', () => {
    const victim = attacked('server', () => [], 'certificate_verify');
    expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'finished in ExpectCertificateVerify');
  });

  it('CVE-2022-25640: does not believe a client that leaves out both', () => {
    const tamper: Tamper = (name, message) => (name.startsWith('certificate') ? [] : [message]);
    const victim = attack(victimServer(), TamperingEngine.client(tamper, 'sent'));
    expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'finished in ExpectCertificate');
  });

  it('refuses a certificate that it did not ask for', () => {
    const tamper: Tamper = (name, message) =>
      name === 'finished'
        ? [handshakeMessage(HANDSHAKE_TYPES.certificate, encodeCertificate(EMPTY, [u8(1)])), message]
        : [message];
    const server = { clientAuthentication: { mode: 'none' } } as const;
    const victim = attack(victimServer(server), TamperingEngine.client(tamper, 'sent'));
    expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'certificate in ExpectFinished');
  });

  it('refuses an empty Certificate followed by a CertificateVerify (4.4.3)', () => {
    const verifier = new FakeVerifier([identity('client')]);
    const server = { clientAuthentication: { mode: 'request', required: false, verifier } } as const;
    const victim = given('server', 'certificate', encodeCertificate(EMPTY, []), { server });
    expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'certificate_verify in ExpectFinished');
  });

  it('CVE-2014-0160: refuses lengths that claim more than there is', () => {
    const lie = concat(vector8(), Uint8Array.of(0, 0x40, 0), u8(1));
    expectRefusal(given('server', 'certificate', lie), 'malformed-message', 'decode_error');
  });

  it('takes the longest chain there may be', () => {
    const chain = Array.from({ length: MAX_CERTIFICATES }, (_, index) =>
      new Uint8Array(6000).fill(index + 1),
    );
    const client = makeIdentity('client', 'ec-p256', chain);
    const verifier = new FakeVerifier([client]);
    const victim = attacked('server', (message) => [message], 'certificate', {
      client: { credential: credentialOf(client) },
      server: { clientAuthentication: { mode: 'request', required: true, verifier } },
    });
    expect(victim.connection.established).toBe(true);
    expect(verifier.shown[0]!.chain.map((der) => der.length)).toEqual(chain.map((der) => der.length));
  });
});
