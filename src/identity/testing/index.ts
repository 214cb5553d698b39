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
export {
  encodeCertificate,
  encodeName,
  keyIdentifierOf,
  spkiOf,
  type TestCertificate,
  type TestSignatureAlgorithm,
} from './certificate.ts';
export {
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeExtension,
  encodeKeyUsage,
  encodeNameConstraints,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
  type TestName,
} from './extensions.ts';
export { encodePem } from '../x509/pem.ts';
export { makeKeys, type TestKeys, type TestKeyType } from './keys.ts';
