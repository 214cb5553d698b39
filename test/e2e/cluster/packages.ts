import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run } from './command.ts';

/** A Debian package for each file by which it is known to be there. */
type Packages = Readonly<Record<string, string>>;

/** What the images are made of. */
export const IMAGE_PACKAGES: Packages = {
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/xtables-nft-multi': 'iptables',
  '/bin/busybox': 'busybox-static',
};

/** Installs those that are missing. Throws with what to do if it cannot. */
export async function installMissing(packages: Packages, progress: (line: string) => void): Promise<void> {
  const missing = Object.keys(packages).filter((file) => !existsSync(file));
  const names = missing.map((file) => packages[file] ?? '');
  if (names.length === 0) return;
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    throw new Error(`install these first (Debian's names), it takes root and apt-get: ${names.join(' ')}`);
  }
  progress(`installing Debian packages: ${names.join(' ')}`);
  const quiet = { environment: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMilliseconds: 10 * 60_000 };
  await run(['apt-get', 'update', '-qq'], quiet);
  await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names], quiet);
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
