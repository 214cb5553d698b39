import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Profile } from './profile.ts';
import { refuse, type StepResult } from './refuse.ts';

/** X509-SVID: what a mesh asks. Its SPIFFE ID is read in svid.ts. */
export const SPIFFE_PROFILE: Profile = {
  name: 'spiffe',
  mayBeNotCritical: new Set(),
  checkRoot: () => undefined,
  checkIntermediate: () => undefined,
  checkLeaf: checkSpiffeLeaf,
};

/**
 * What X509-SVID 5.2 asks of a leaf beyond RFC 5280: no CA, and a key that signs handshakes but neither certificates
 * nor revocation lists (X509-SVID 4.1 to 4.3).
 */
function checkSpiffeLeaf(leaf: Certificate): StepResult {
  if (leaf.extensions.basicConstraints?.ca === true) {
    return refuse(IDENTITY_REASONS['leaf-is-a-ca'], leaf, 'its basicConstraints say it is a CA');
  }
  const usage = leaf.extensions.keyUsage;
  // X509-SVID 4.3: "The Key Usage extension MUST be set on all SVIDs".
  if (usage === undefined) return refuse(IDENTITY_REASONS['missing-key-usage'], leaf, 'it has no keyUsage');
  if (!usage.has('digitalSignature')) {
    return refuse(IDENTITY_REASONS['missing-key-usage'], leaf, 'its keyUsage lacks digitalSignature');
  }
  for (const signing of ['keyCertSign', 'cRLSign'] as const) {
    if (usage.has(signing))
      return refuse(IDENTITY_REASONS['leaf-is-a-ca'], leaf, `its keyUsage has ${signing}`);
  }
  return undefined;
}
