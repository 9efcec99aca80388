import { EdgeError } from '../../domain/errors.ts';

/** What a call gets that comes after `close`. */
export const storeClosed = (): EdgeError => storeGone('The state store is closed');

/** Nothing can be asked of this store any more. */
export const storeGone = (message: string, cause?: unknown): EdgeError =>
  new EdgeError('store_unavailable', `${message}.`, {
    hint: 'Start Edge again; what was acknowledged is kept.',
    ...(cause !== undefined && { cause }),
  });
