import type { ServerConfig } from '../../config.ts';
import type { RecordSize } from '../../extensions/record-size.ts';
import type { GroupName } from '../../groups.ts';
import type { ClientHello } from '../../messages/client-hello.ts';
import type { Parameters } from '../../parameters.ts';
import type { SuiteName } from '../../suites.ts';

/** What stays the same through a server's handshake. */
export interface ServerContext {
  readonly config: ServerConfig;
  readonly parameters: Parameters;
  /** The only name that is served, lower case; undefined: any. */
  readonly serverName: string | undefined;
}

/** What the server chose from a ClientHello. */
export interface Choice {
  readonly hello: ClientHello;
  readonly suite: SuiteName;
  readonly group: GroupName;
  readonly alpn: string | undefined;
  readonly recordSize: RecordSize | undefined;
}
