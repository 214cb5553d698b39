import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { hasOurTable, LIST_TABLE, nftablesRemoval, nftablesRules, nftablesText } from './nftables.ts';
import type { PacketFilter, Undo } from './packet-filter.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import { refusedBy, uncertain } from './refused-by.ts';
import type { RunTool } from './tool.ts';

export function nftFilter(run: RunTool): PacketFilter {
  const nft = async (args: readonly string[], input: string): Promise<Result<string, Refusal>> => {
    const result = await run('nft', args, input);
    if (result.kind === 'missing') {
      return err({ reason: INTERCEPT_REASONS['packet-filter-missing'], detail: 'nft is not installed' });
    }
    return result.code === 0 ? ok(result.stdout) : err(refusedBy('nft', result));
  };
  const load = async (text: string, ...options: string[]): Promise<Result<void, Refusal>> => {
    const loaded = await nft([...options, '-f', '-'], text);
    return loaded.ok ? ok(undefined) : loaded;
  };

  /** Our table as text that loads it again; undefined: there is none. */
  const ours = async (): Promise<Result<string | undefined, Refusal>> => {
    const tables = await nft(['list', 'tables'], '');
    if (!tables.ok) return tables;
    return hasOurTable(tables.value) ? nft(LIST_TABLE, '') : ok(undefined);
  };

  /** One transaction; but a tool that is stopped doesn't tell whether before or after it. */
  const change = async (text: string, before: string | undefined): Promise<Result<Undo, Refusal>> => {
    const undo: Undo = () => load(before === undefined ? nftablesRemoval() : nftablesText(before));
    const result = await run('nft', ['-f', '-'], text);
    if (result.kind === 'missing') {
      return err({ reason: INTERCEPT_REASONS['packet-filter-missing'], detail: 'nft is not installed' });
    }
    if (result.code === 0) return ok(undo);
    const failed = refusedBy('nft', result);
    if (result.code !== null) return err(failed);
    const undone = await undo();
    return err(undone.ok ? failed : uncertain(failed, undone.error));
  };

  return {
    name: 'nft',
    print: nftablesRules,
    check: (settings) => load(nftablesRules(settings), '-c'),
    place: () => Promise.resolve('nft'),
    async apply(settings) {
      const before = await ours();
      return before.ok ? change(nftablesRules(settings), before.value) : before;
    },
    async remove() {
      const before = await ours();
      // Where tables can't even be listed, for lack of the tool or of the kernel's part, none can have been loaded.
      if (!before.ok || before.value === undefined) return ok(() => Promise.resolve(ok(undefined)));
      return change(nftablesRemoval(), before.value);
    },
  };
}
