import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import {
  type Family,
  iptablesRemoval,
  iptablesRules,
  hasOurChains,
  type PresentJumps,
  presentJumps,
} from './iptables.ts';
import type { PacketFilter } from './packet-filter.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import { refusedBy } from './refused-by.ts';
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

  const restore = async (
    family: Family,
    options: readonly string[],
    text: (present: PresentJumps) => string,
  ): Promise<Result<void, Refusal>> => {
    const rules = await saved(family);
    if (!rules.ok) return rules;
    const { restore: program } = programs[family];
    const input = text(presentJumps(rules.value));
    const result = await run(program, ['--noflush', '--wait', LOCK_SECONDS, ...options], input);
    if (result.kind === 'missing') return err(missing(program));
    return result.code === 0 ? ok(undefined) : err(refusedBy(program, result));
  };

  const removeFrom = (family: Family): Promise<Result<void, Refusal>> => restore(family, [], iptablesRemoval);

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
        const text = (jumps: PresentJumps): string => iptablesRules(settings, family, jumps);
        const checked = await restore(family, ['--test'], text);
        if (!checked.ok) return checked;
      }
      return ok(undefined);
    },
    async apply(settings) {
      for (const [index, family] of families.entries()) {
        const applied = await restore(family, [], (jumps) => iptablesRules(settings, family, jumps));
        if (applied.ok) continue;
        // One family captured and the other not would be a hole that nobody sees.
        for (const done of families.slice(0, index)) await removeFrom(done);
        return applied;
      }
      return ok(undefined);
    },
    async remove() {
      for (const family of families) {
        const rules = await saved(family);
        // Where they can't even be listed, for lack of the tool or of the kernel's part, none can have been loaded.
        if (!rules.ok || !hasOurChains(rules.value)) continue;
        const removed = await removeFrom(family);
        if (!removed.ok) return removed;
      }
      return ok(undefined);
    },
  };
}

/** How long to wait for somebody else who changes rules. */
const LOCK_SECONDS = '5';

function missing(program: string): Refusal {
  return { reason: INTERCEPT_REASONS['packet-filter-missing'], detail: `${program} is not installed` };
}
