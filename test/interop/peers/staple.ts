import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePem, type TestAuthority, type TestLeaf } from '#identity/testing';
import { temporaryFolder } from '../../support/temporary.ts';
import { pemFile } from './files.ts';

const folder = temporaryFolder('staples');
let made = 0;

/** An OCSP response of the leaf's issuer, made by OpenSSL: the leaf is good. DER, and the file that has it. */
export function makeStaple(
  leaf: TestLeaf,
  authority: TestAuthority,
): { readonly der: Uint8Array; readonly file: string } {
  const issuer = authority.intermediates.at(-1) ?? authority.root;
  const [certificate, key] = [
    pemFile(encodePem('CERTIFICATE', issuer.der)),
    pemFile(issuer.keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  ];
  made += 1;
  const path = (name: string): string => join(folder, `${made}-${name}`);
  const serial = new X509Certificate(leaf.chain[0]!).serialNumber;
  writeFileSync(path('index'), `V\t491231235959Z\t\t${serial}\tunknown\t/CN=leaf\n`);
  const ocsp = (...args: string[]): unknown =>
    execFileSync('openssl', ['ocsp', ...args], { stdio: 'ignore' });
  const shown = pemFile(encodePem('CERTIFICATE', leaf.chain[0]!));
  ocsp('-issuer', certificate, '-cert', shown, '-no_nonce', '-reqout', path('request'));
  ocsp(
    ...['-index', path('index'), '-CA', certificate, '-rsigner', certificate, '-rkey', key],
    ...['-reqin', path('request'), '-respout', path('response'), '-ndays', '1'],
  );
  return { der: readFileSync(path('response')), file: path('response') };
}
