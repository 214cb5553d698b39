/** The door of the certificate authority. */
export { CertificateAuthority } from './authority.ts';
export { AuthorityError } from './config.ts';
