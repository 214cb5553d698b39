/** RFC 8446 4.2.7: NamedGroup, with the length of the key_exchange a peer must send (RFC 8446 4.2.8.2). */
export const GROUPS = {
  x25519: { id: 0x001d, shareLength: 32 },
  secp256r1: { id: 0x0017, shareLength: 65 },
} as const;

export type GroupName = keyof typeof GROUPS;

export const DEFAULT_GROUPS: readonly GroupName[] = ['x25519', 'secp256r1'];

const BY_ID = new Map<number, GroupName>(
  (Object.entries(GROUPS) as [GroupName, { id: number }][]).map(([name, group]) => [group.id, name]),
);

export function groupName(id: number): GroupName | undefined {
  return BY_ID.get(id);
}
