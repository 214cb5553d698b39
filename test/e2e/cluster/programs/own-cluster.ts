/** Brings up a cluster of one node without images, says where it is, and waits to be killed: for lifetime.story.ts. */
import { bareProvider } from '../bare/provider.ts';

const { handle } = await bareProvider.up({ nodes: 1, images: [], progress: console.log });
console.log(`handle ${JSON.stringify(handle)}`);
setInterval(() => undefined, 60_000);
