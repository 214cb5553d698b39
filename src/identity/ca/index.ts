/** The door of the certificate authority. */
export { CertificateAuthority } from './authority.ts';
export type { StateDocument, VersionedText } from './state-document.ts';
export { type Attestation, attestedAtOf, type LeafBounds } from './template.ts';
export type { AuditRecord } from './audit.ts';
export { type IssuableRequest, namesAnother, parseIssuableRequest } from './request.ts';
export { AuthorityError } from './config.ts';
