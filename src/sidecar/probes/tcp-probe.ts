import { dialApplication, type ProbeContext } from './dial.ts';
import type { TcpTarget } from './probe.ts';

/** Resolves if the application accepts connections; throws TlsError if not. Nothing is sent. */
export async function probeTcp({ port }: TcpTarget, context: ProbeContext): Promise<void> {
  const { close } = await dialApplication(port, context);
  close();
}
