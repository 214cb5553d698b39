import type { KemName } from './crypto/kem.ts';

/**
 * RFC 8446 4.2.7: NamedGroup. A group is one key encapsulation mechanism or several side by side, whose shares and
 * secrets are joined in this order (draft-ietf-tls-hybrid-design 3; for X25519MLKEM768 draft-ietf-tls-ecdhe-mlkem 4,
 * where ML-KEM comes first in spite of the name).
 */
export const GROUPS = {
  X25519MLKEM768: { id: 0x11ec, kems: ['mlkem768', 'x25519'] },
  x25519: { id: 0x001d, kems: ['x25519'] },
  secp256r1: { id: 0x0017, kems: ['secp256r1'] },
  secp384r1: { id: 0x0018, kems: ['secp384r1'] },
} as const satisfies Record<string, { id: number; kems: readonly KemName[] }>;

export type GroupName = keyof typeof GROUPS;

/** Best first: the hybrid holds as long as one of its two parts does, also against who records now and breaks later. */
export const DEFAULT_GROUPS: readonly GroupName[] = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'];

/** A client's shares, if its configuration names none: those that nearly every server takes one of. */
export const DEFAULT_KEY_SHARES: readonly GroupName[] = ['X25519MLKEM768', 'x25519'];

/** Whether what is agreed stays secret from a quantum computer. */
export function isPostQuantum(group: GroupName): boolean {
  return (GROUPS[group].kems as readonly KemName[]).includes('mlkem768');
}

const BY_ID = new Map<number, GroupName>(
  (Object.entries(GROUPS) as [GroupName, { id: number }][]).map(([name, group]) => [group.id, name]),
);

export function groupName(id: number): GroupName | undefined {
  return BY_ID.get(id);
}
