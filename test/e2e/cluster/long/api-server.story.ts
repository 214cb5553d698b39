import { withoutApiServer } from '../api-server-away.ts';
import { story } from '../story.ts';

story(
  'the API server is away for five minutes: certificates are renewed, and only pods without a sidecar are missed',
  ({ cluster, namespace, turn }) => withoutApiServer({ cluster, namespace, turn }, 300),
);
