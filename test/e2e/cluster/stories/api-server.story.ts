import { withoutApiServer } from '../api-server-away.ts';
import { story } from '../story.ts';

/** With the time that it may wait for others to end. */
const TIMEOUT_MILLISECONDS = 500_000;

story(
  'the API server is away for 50 s, and nobody notices',
  ({ cluster, namespace, turn }) => withoutApiServer({ cluster, namespace, turn }, 50),
  TIMEOUT_MILLISECONDS,
);
