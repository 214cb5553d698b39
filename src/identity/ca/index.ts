/** The door of the certificate authority. */
export type { Audit, AuditRecord } from './audit.ts';
export { type AuthorityCertificate, CertificateAuthority } from './authority.ts';
export { AuthorityError, type AuthorityOptions } from './config.ts';
