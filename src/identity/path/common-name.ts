import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { attributeString } from './names/directory.ts';
import { ipText, parseIpAddress } from './names/ip.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * The common name says nothing here (RFC 9525 2). But old software reads it, so one that spells a host differently
 * than subjectAltName does could be taken for another one: CABF-BR 7.1.4.3 wants "a character-for-character copy".
 * That is held against addresses in unusual forms, names of other letter case and internationalized names. A plain
 * host name or address that subjectAltName lacks is ignored, as nobody who follows RFC 9525 is misled by it, and test suites abound with it.
 */
export function checkCommonName(leaf: Certificate): StepResult {
  const commonNames = leaf.subject.parts.flat().filter(({ oid }) => oid === OID.commonName);
  if (commonNames.length === 0) return undefined;
  const names = (leaf.extensions.subjectAltName ?? []).flatMap((name) => {
    if (name.type === 'dns' || name.type === 'email') return [name.text];
    return name.type === 'ip' ? [ipText(name.octets)] : [];
  });
  for (const { tag, contents } of commonNames) {
    const text = attributeString(tag, contents);
    if (text === undefined || names.includes(text) || !isOtherSpelling(text, names)) continue;
    const what = `its common name ${JSON.stringify(text)} is no copy of a name in subjectAltName (CABF-BR 7.1.4.3)`;
    return refuse(IDENTITY_REASONS['web-rule-broken'], leaf, what);
  }
  return undefined;
}

function isOtherSpelling(text: string, names: readonly string[]): boolean {
  const lower = text.toLowerCase();
  if (names.some((name) => name.toLowerCase() === lower)) return true;
  if (LIKE_IPV4.test(lower) || LIKE_IPV6.test(lower)) return !isCanonicalAddress(text);
  return LIKE_HOST.test(lower) && (/[^\0-\x7f]/.test(lower) || /(^|\.)xn--/.test(lower));
}

function isCanonicalAddress(text: string): boolean {
  const octets = parseIpAddress(text);
  return octets !== undefined && ipText(octets) === text;
}

/** Whatever inet_aton(3) takes for an address, with at least one period. */
const LIKE_IPV4 = /^(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){1,3}$/;
const LIKE_IPV6 = /^(?=.*:.*:)[0-9a-f:.]+$/;
const LIKE_HOST = /^[^\s.]+(\.[^\s.]+)+$/;
