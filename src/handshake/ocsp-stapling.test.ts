import { describe, expect, it } from 'vitest';
import { concat, EMPTY, fromAscii } from '#runtime';
import { encodeExtensions } from './extensions/extensions.ts';
import { encodeCertificateStatus } from './extensions/status-request.ts';
import { credentialOf, FakeVerifier, identity } from './testing/credentials.ts';
import { exchange, makePair } from './testing/pair.ts';
import { tamperWith, TamperingEngine } from './testing/tampering-engine.ts';
import { attack, expectRefusal, victimClient } from './testing/victim.ts';
import { handshakeMessage } from './testing/wire.ts';
import { HANDSHAKE_TYPES } from './messages/names.ts';
import { u8, vector8, vector24 } from './wire/writer.ts';

const RESPONSE = fromAscii('not looked into');

/** What each side's verifier saw of a response. */
function staples(asks: { client: boolean; server: boolean }) {
  const [ofServer, ofClient] = [
    new FakeVerifier([identity('server')]),
    new FakeVerifier([identity('client')]),
  ];
  const pair = makePair({
    client: {
      requestOcspResponse: asks.client,
      verifier: ofServer,
      credential: { ...credentialOf(identity('client')), ocspResponse: RESPONSE },
    },
    server: {
      requestOcspResponse: asks.server,
      clientAuthentication: { mode: 'request', required: true, verifier: ofClient },
      credential: { ...credentialOf(identity('server')), ocspResponse: RESPONSE },
    },
  });
  exchange(pair.client, pair.server);
  expect(pair.server.established).toBe(true);
  return [ofServer.shown[0]!.ocspResponse, ofClient.shown[0]!.ocspResponse];
}

describe('an OCSP response (RFC 8446 4.4.2.1)', () => {
  it('comes to the verifier of whoever asks for it, and to nobody else', () => {
    expect(staples({ client: true, server: true })).toEqual([RESPONSE, RESPONSE]);
    expect(staples({ client: true, server: false })).toEqual([RESPONSE, undefined]);
    expect(staples({ client: false, server: true })).toEqual([undefined, RESPONSE]);
    expect(staples({ client: false, server: false })).toEqual([undefined, undefined]);
  });

  const leaf = identity('server').chain[0]!;
  const certificate = (status: Uint8Array) =>
    concat(vector8(EMPTY), vector24(vector24(leaf), encodeExtensions([['status_request', status]])));

  it.each([
    ['empty', encodeCertificateStatus(EMPTY), 'malformed-message', 'decode_error'],
    ['of another type', concat(u8(2), vector24(RESPONSE)), 'malformed-message', 'decode_error'],
    [
      'with bytes behind it',
      concat(encodeCertificateStatus(RESPONSE), u8(0)),
      'malformed-message',
      'decode_error',
    ],
  ] as const)('is refused if %s', (_title, status, code, alert) => {
    const change = tamperWith('certificate', () => [
      handshakeMessage(HANDSHAKE_TYPES.certificate, certificate(status)),
    ]);
    const victim = victimClient({ requestOcspResponse: true });
    expectRefusal(attack(victim, TamperingEngine.server(change, 'sent')), code, alert);
  });

  it('is refused by a client that did not ask', () => {
    const change = tamperWith('certificate', () => [
      handshakeMessage(HANDSHAKE_TYPES.certificate, certificate(encodeCertificateStatus(RESPONSE))),
    ]);
    const victim = attack(victimClient(), TamperingEngine.server(change, 'sent'));
    expectRefusal(victim, 'unsolicited-extension', 'unsupported_extension', 'status_request');
  });
});
