/** Wrong use or wrong configuration: shown as it is, without a stack; the program ends with exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}
