import type { Observer } from '#handshake';
import { type CryptoProvider, nodeProvider } from '#handshake/crypto';

/**
 * For a peer that holds the right keys and lies in its Finished: one bit of the verify_data is flipped. RFC 8446 4.4.4:
 * verify_data is the first HMAC over a bare transcript hash after the CertificateVerify was sent.
 */
export function lyingFinished(): { readonly crypto: CryptoProvider; readonly observe: Observer } {
  let armed = false;
  return {
    observe(event) {
      if (event.type === 'message' && event.direction === 'sent' && event.message === 'certificate_verify') {
        armed = true;
      }
    },
    crypto: {
      ...nodeProvider,
      hmac(hash, key, bytes) {
        const mac = nodeProvider.hmac(hash, key, bytes);
        if (!armed || bytes.length !== mac.length) return mac;
        armed = false;
        return mac.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
      },
    },
  };
}
