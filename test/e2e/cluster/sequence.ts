import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Stories that take long, longest first. Begun last, one would run alone while the other workers have nothing to do. */
const LONG = ['steady', 'address-reuse', 'mesh', 'under-load', 'lifecycle'];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONG.indexOf(basename(moduleId, '.story.ts'));
      return index < 0 ? LONG.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}
