import { expect, test } from 'vitest';
import { packetFilters } from './capture.ts';
import type { PacketFilter } from './packet-filter.ts';
import { removeAll, replaceRules } from './replace-rules.ts';
import { FakePacketFilters } from './testing/fake-packet-filters.ts';
import { settingsOf } from './testing/settings.ts';

const OLD = settingsOf({ excludeOutboundPorts: '22' });
const NEW = settingsOf({ excludeOutboundPorts: '25' });

function filtersOf(fake: FakePacketFilters): {
  all: readonly PacketFilter[];
  named: (name: PacketFilter['name']) => PacketFilter;
} {
  const all = packetFilters(true, fake.run);
  return {
    all,
    named(name) {
      const found = all.find((filter) => filter.name === name);
      if (found === undefined) throw new Error(`there is no ${name}`);
      return found;
    },
  };
}

/** A system that `filter` has loaded the old rules into. */
async function loadedBy(filter: PacketFilter['name'], fake = new FakePacketFilters()) {
  const { all, named } = filtersOf(fake);
  expect(await replaceRules(named(filter), all, OLD)).toMatchObject({ ok: true });
  const before = fake.loaded;
  expect(Object.keys(before)).not.toEqual([]);
  fake.changes.length = 0;
  return { fake, all, named, before };
}

test("the other tool's rules go after the new ones have come", async () => {
  const { fake, all, named } = await loadedBy('iptables');
  expect(await replaceRules(named('nft'), all, NEW)).toMatchObject({ ok: true });
  expect(fake.changes).toEqual(['nft', 'iptables-restore', 'ip6tables-restore']);
  expect(Object.keys(fake.loaded)).toEqual(['nft']);
  expect(fake.loaded.nft).toContain('tcp dport { 25 }');
});

test.each([
  ['nf_tables', 'iptables'],
  ['legacy', 'iptables'],
  ['legacy', 'iptables-legacy'],
] as const)('where iptables is %s, rules that %s has loaded stay', async (kind, name) => {
  const { fake, all, named, before } = await loadedBy(name, new FakePacketFilters(kind));
  expect(Object.keys(before)).toEqual([`${kind} ipv4`, `${kind} ipv6`]);
  expect(await replaceRules(named(name), all, OLD)).toMatchObject({ ok: true });
  expect(fake.loaded).toEqual(before);
});

test.each(['nft', 'iptables', 'iptables-legacy'] as const)(
  'whatever program fails while %s replaces its own rules, they are in force again',
  async (name) => {
    for (const program of PROGRAMS) {
      for (const how of ['change', 'always', 'stopped-after'] as const) {
        const { fake, all, named, before } = await loadedBy(name);
        fake.failing.set(program, how);
        const replaced = await replaceRules(named(name), all, NEW);
        if (replaced.ok) expect(Object.values(fake.loaded).join()).toContain('25');
        else if (replaced.error.reason.code === 'packet-filter-refused') expect(fake.loaded).toEqual(before);
        else expect(replaced.error).toMatchObject({ reason: { code: 'packet-filter-uncertain' } });
      }
    }
  },
);

test("IPv6 that fails leaves IPv4's rules as they were, others' too", async () => {
  const { fake, all, named, before } = await loadedBy('iptables');
  fake.failing.set('ip6tables-restore', 'change');
  const replaced = await replaceRules(named('iptables'), all, NEW);
  expect(replaced).toMatchObject({ ok: false, error: { reason: { code: 'packet-filter-refused' } } });
  expect(fake.loaded).toEqual(before);

  // In a namespace that had none: none again, so that no family is a hole that nobody sees.
  const empty = new FakePacketFilters();
  empty.failing.set('ip6tables-restore', 'change');
  const { all: filters, named: by } = filtersOf(empty);
  expect(await replaceRules(by('iptables'), filters, NEW)).toMatchObject({ ok: false });
  expect(empty.loaded).toEqual({});
});

test("where the other tool's rules can't be taken away, the new ones go", async () => {
  const { fake, all, named, before } = await loadedBy('iptables');
  fake.failing.set('ip6tables-restore', 'change');
  const replaced = await replaceRules(named('nft'), all, NEW);
  expect(replaced).toMatchObject({ ok: false, error: { reason: { code: 'packet-filter-refused' } } });
  expect(fake.loaded).toEqual(before);
});

test('what can be put back by nobody is said', async () => {
  const { fake, all, named } = await loadedBy('iptables');
  fake.failing.set('ip6tables-restore', 'stopped-after');
  const replaced = await replaceRules(named('iptables'), all, NEW);
  expect(replaced).toMatchObject({
    ok: false,
    error: {
      reason: { code: 'packet-filter-uncertain' },
      detail: 'ip6tables-restore was stopped; putting the rules back: ip6tables-restore was stopped',
    },
  });
});

test('all are taken away, or none', async () => {
  const { fake, all, before } = await loadedBy('iptables');
  fake.failing.set('ip6tables-restore', 'change');
  expect(await removeAll(all)).toMatchObject({
    ok: false,
    error: { reason: { code: 'packet-filter-refused' } },
  });
  expect(fake.loaded).toEqual(before);
  fake.failing.clear();
  expect(await removeAll(all)).toMatchObject({ ok: true });
  expect(fake.loaded).toEqual({});
});

const PROGRAMS = [
  'nft',
  'iptables-save',
  'iptables-restore',
  'ip6tables-save',
  'ip6tables-restore',
  'iptables-legacy-restore',
  'ip6tables-legacy-restore',
];
