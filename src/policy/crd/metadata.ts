import * as z from 'zod';
import { annotations, labels, namespaceName, objectName } from './names.ts';

const BY_CLUSTER = 'is written by the cluster; leave it out of the file';

/** ObjectMeta, as far as a file has it. */
export const metadata = z
  .strictObject({
    name: objectName,
    namespace: namespaceName,
    labels: labels.optional(),
    annotations: annotations.optional(),
  })
  .meta({
    hints: {
      uid: BY_CLUSTER,
      resourceVersion: BY_CLUSTER,
      generation: BY_CLUSTER,
      creationTimestamp: BY_CLUSTER,
      deletionTimestamp: BY_CLUSTER,
      managedFields: BY_CLUSTER,
      ownerReferences: BY_CLUSTER,
      finalizers: BY_CLUSTER,
      generateName:
        'has no use in a file: two policies with one prefix could not be told apart; write a name',
    },
  });

/** Fields of every document beside `spec`. */
export const DOCUMENT_HINTS = { status: BY_CLUSTER };
