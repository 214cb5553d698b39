import { X509Certificate } from 'node:crypto';
import type { PeerVerifier, VerifiedPeer } from '#handshake';
import { err, ok } from '#runtime';
import { SIDECAR_REASONS } from '../reason.ts';

/**
 * Believes every certificate, as the kubelet does for probes with the scheme HTTPS: they ask the application of this pod,
 * by an address of this pod, and show no identity. For nothing else.
 */
export const anyCertificate: PeerVerifier = {
  verify({ chain: [der] }) {
    const reason = SIDECAR_REASONS['probe-answer-invalid'];
    try {
      const { publicKey, serialNumber, validToDate } = new X509Certificate(der ?? new Uint8Array(0));
      const keyType =
        KEY_TYPES[publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyType ?? ''];
      if (keyType === undefined) return err({ reason, detail: 'its key is of a kind that is not known' });
      return ok({
        publicKey: publicKey.export({ type: 'spki', format: 'der' }),
        keyType,
        identity: 'not verified',
        serial: serialNumber.toLowerCase(),
        notAfter: validToDate.getTime(),
      });
    } catch (error) {
      return err({ reason, detail: `its certificate cannot be read: ${String(error)}` });
    }
  },
};

const KEY_TYPES: Readonly<Record<string, VerifiedPeer['keyType']>> = {
  prime256v1: 'ec-p256',
  secp384r1: 'ec-p384',
  ed25519: 'ed25519',
  rsa: 'rsa',
  'rsa-pss': 'rsa-pss',
};
