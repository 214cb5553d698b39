/** `refused`: the server answered so. `malformed`: it answered something that is no answer. `failed`: no answer came. */
export type ApiErrorKind = 'refused' | 'malformed' | 'failed';

export class ApiError extends Error {
  readonly kind: ApiErrorKind;
  /** HTTP's, or that of a Status; 0 where there is none. */
  readonly code: number;

  constructor(kind: ApiErrorKind, message: string, code = 0) {
    super(message);
    this.name = 'ApiError';
    this.kind = kind;
    this.code = code;
  }
}
