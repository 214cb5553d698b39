/** The door for tests: certificates of every kind, valid and wrong, without the real CA. */
export {
  type AuthorityOptions,
  type IssuerOptions,
  type LeafOptions,
  makeAuthority,
  makeIssuer,
  makeLeaf,
  type TestAuthority,
  type TestIssuer,
  type TestLeaf,
} from './authority.ts';
export { encodeCertificate, encodeName, spkiOf, type TestCertificate } from './certificate.ts';
export {
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeExtension,
  encodeKeyUsage,
  encodeSubjectAltName,
} from './extensions.ts';
export { encodePem } from '../x509/pem.ts';
export { MemoryLedger } from './memory-ledger.ts';
export { makeKeys } from './keys.ts';
export { createCertificateRequest } from '../x509/certificate-request.ts';
