import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { hasOurTable, nftablesRemoval, nftablesRules } from './nftables.ts';
import type { PacketFilter } from './packet-filter.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import { refusedBy } from './refused-by.ts';
import type { RunTool } from './tool.ts';

export function nftFilter(run: RunTool): PacketFilter {
  const load = async (text: string, ...options: string[]): Promise<Result<void, Refusal>> => {
    const result = await run('nft', [...options, '-f', '-'], text);
    if (result.kind === 'missing') {
      return err({ reason: INTERCEPT_REASONS['packet-filter-missing'], detail: 'nft is not installed' });
    }
    return result.code === 0 ? ok(undefined) : err(refusedBy('nft', result));
  };
  return {
    name: 'nft',
    print: nftablesRules,
    check: (settings) => load(nftablesRules(settings), '-c'),
    apply: (settings) => load(nftablesRules(settings)),
    async remove() {
      const listed = await run('nft', ['list', 'tables'], '');
      // Where tables can't even be listed, for lack of the tool or of the kernel's part, none can have been loaded.
      if (listed.kind === 'missing' || listed.code !== 0) return ok(undefined);
      return hasOurTable(listed.stdout) ? load(nftablesRemoval()) : ok(undefined);
    },
  };
}
