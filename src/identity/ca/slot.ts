import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Certificate } from '../x509/certificate.ts';
import { AuthorityError } from './config.ts';
import { inspectAuthority } from './inspect.ts';
import { signCertificate } from './sign.ts';
import type { AuthorityTemplate } from './template.ts';

/** A CA certificate with its key: what signs. */
export interface Slot {
  readonly certificate: Certificate;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** A new P-256 key and its certificate, signed by `issuer` or by itself, read back and checked. */
export async function makeSlot(
  templateOf: (publicKey: KeyObject) => AuthorityTemplate,
  issuer: Slot | undefined,
): Promise<Slot> {
  const keys = await generate('ec', { namedCurve: 'P-256' });
  const template = templateOf(keys.publicKey);
  const der = await signCertificate(template, issuer ?? { certificate: undefined, ...keys });
  const certificate = inspectAuthority(der, template, issuer?.certificate);
  if (!certificate.ok) {
    throw new AuthorityError(
      `a new ${template.kind} certificate failed its check: ${certificate.error.detail}`,
    );
  }
  return { certificate: certificate.value, ...keys };
}

/** A certificate and a key that were read; undefined when they do not belong together. */
export function pairSlot(certificate: Certificate, privateKey: KeyObject): Slot | undefined {
  const publicKey = createPublicKey(privateKey);
  return certificate.publicKey.key.equals(publicKey) ? { certificate, publicKey, privateKey } : undefined;
}
