/**
 * The only place that loads @peculiar/x509. It writes certificates; nothing here reads or judges one with it. Its
 * dependency injection (tsyringe) needs Reflect metadata before it is loaded, hence the order of these lines.
 */
import 'reflect-metadata';

export {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
