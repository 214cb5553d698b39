import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { KeyType } from '#handshake';

export interface TestKeys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Also keys that must be refused. */
export type TestKeyType = KeyType | 'ec-p521' | 'rsa-1024';

const CURVES = { 'ec-p256': 'P-256', 'ec-p384': 'P-384', 'ec-p521': 'P-521' } as const;

/** A fresh key pair; RSA keys, which are slow to make, are shared within the process. */
export function makeKeys(type: TestKeyType): TestKeys {
  switch (type) {
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'rsa':
      return sharedRsa(2048);
    case 'rsa-1024':
      return sharedRsa(1024);
    case 'rsa-pss':
      return sharedRsaPss();
    case 'ec-p256':
    case 'ec-p384':
    case 'ec-p521':
      return generateKeyPairSync('ec', { namedCurve: CURVES[type] });
  }
}

let rsaPssKeys: TestKeys | undefined;

function sharedRsaPss(): TestKeys {
  rsaPssKeys ??= generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  return rsaPssKeys;
}

const rsaKeys = new Map<number, TestKeys>();

function sharedRsa(bits: number): TestKeys {
  const keys = rsaKeys.get(bits) ?? generateKeyPairSync('rsa', { modulusLength: bits });
  rsaKeys.set(bits, keys);
  return keys;
}
