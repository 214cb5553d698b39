import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import {
  iptablesFormer,
  iptablesRemoval,
  iptablesRules,
  hasOurChains,
  type PresentJumps,
  presentJumps,
  sameOfOurs,
} from './iptables.ts';
import type { Family } from './networks.ts';
import { type PacketFilter, type Undo, undoAll } from './packet-filter.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import { refusedBy, uncertain } from './refused-by.ts';
import type { RunTool } from './tool.ts';

/** The programs of one flavour of iptables, by family. */
const PROGRAMS = {
  iptables: {
    ipv4: { save: 'iptables-save', restore: 'iptables-restore' },
    ipv6: { save: 'ip6tables-save', restore: 'ip6tables-restore' },
  },
  'iptables-legacy': {
    ipv4: { save: 'iptables-legacy-save', restore: 'iptables-legacy-restore' },
    ipv6: { save: 'ip6tables-legacy-save', restore: 'ip6tables-legacy-restore' },
  },
} as const;

/** @param families those that the kernel has: a kernel without IPv6 has nothing to capture there. */
export function iptablesFilter(
  name: keyof typeof PROGRAMS,
  run: RunTool,
  families: readonly Family[],
): PacketFilter {
  const programs = PROGRAMS[name];

  /** What iptables-save prints. */
  const saved = async (family: Family): Promise<Result<string, Refusal>> => {
    const { save } = programs[family];
    const result = await run(save, [], '');
    if (result.kind === 'missing') return err(missing(save));
    return result.code === 0 ? ok(result.stdout) : err(refusedBy(save, result));
  };

  const load = async (
    family: Family,
    input: string,
    ...options: readonly string[]
  ): Promise<Result<void, Refusal>> => {
    const { restore } = programs[family];
    const result = await run(restore, ['--noflush', '--wait', LOCK_SECONDS, ...options], input);
    if (result.kind === 'missing') return err(missing(restore));
    return result.code === 0 ? ok(undefined) : err(refusedBy(restore, result));
  };

  const putBack = async (family: Family, before: string): Promise<Result<void, Refusal>> => {
    const now = await saved(family);
    if (!now.ok) return now;
    return sameOfOurs(before, now.value)
      ? ok(undefined)
      : load(family, iptablesFormer(before, presentJumps(now.value)));
  };

  /** One family after the other, each table a transaction of its own: what fails midway is taken back. */
  const change = async (
    changed: readonly Family[],
    text: (family: Family, present: PresentJumps) => string,
  ): Promise<Result<Undo, Refusal>> => {
    const undos: Undo[] = [];
    const undo: Undo = () => undoAll(undos);
    for (const family of changed) {
      const before = await saved(family);
      if (before.ok) undos.push(() => putBack(family, before.value));
      const done = before.ok ? await load(family, text(family, presentJumps(before.value))) : before;
      if (done.ok) continue;
      const undone = await undo();
      return err(undone.ok ? done.error : uncertain(done.error, undone.error));
    }
    return ok(undo);
  };

  return {
    name,
    print: (settings) =>
      families
        .map(
          (family) =>
            `# ${programs[family].restore} --noflush\n${iptablesRules(settings, family, new Map())}`,
        )
        .join('\n'),
    async check(settings) {
      for (const family of families) {
        const now = await saved(family);
        if (!now.ok) return now;
        const checked = await load(
          family,
          iptablesRules(settings, family, presentJumps(now.value)),
          '--test',
        );
        if (!checked.ok) return checked;
      }
      return ok(undefined);
    },
    async place() {
      const result = await run(programs.ipv4.save, ['--version'], '');
      // iptables(8): "iptables v1.8.9 (nf_tables)"; before 1.8 there was one kind only, and nothing in brackets.
      return result.kind === 'ended' && result.stdout.includes('(nf_tables)')
        ? 'iptables-nft'
        : 'iptables-legacy';
    },
    apply: (settings) => change(families, (family, now) => iptablesRules(settings, family, now)),
    async remove() {
      const holding: Family[] = [];
      for (const family of families) {
        const rules = await saved(family);
        // Where they can't even be listed, for lack of the tool or of the kernel's part, none can have been loaded.
        if (rules.ok && hasOurChains(rules.value)) holding.push(family);
      }
      return change(holding, (_, now) => iptablesRemoval(now));
    },
  };
}

/** How long to wait for somebody else who changes rules. */
const LOCK_SECONDS = '5';

function missing(program: string): Refusal {
  return { reason: INTERCEPT_REASONS['packet-filter-missing'], detail: `${program} is not installed` };
}
