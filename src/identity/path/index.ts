/** The door of path validation for peers that are no workloads of a mesh: hosts of the web. */
export {
  checkReferenceName,
  parseReferenceHost,
  parseReferenceMailbox,
  type ReferenceName,
} from './host-name.ts';
export { type VerifiedHost, verifyHost, verifyWebChain, type WebInput } from './verify-host.ts';
export { createWebRoots, type WebRoots } from './web-roots.ts';
export { decodePemBlocks } from '../x509/pem.ts';
export { parseRevocationList, type RevocationList } from '../x509/crl.ts';
export type { RevocationInput } from './revocation.ts';
