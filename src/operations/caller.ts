import { EdgeError } from '../domain/errors.ts';
import type { Permission } from '../domain/permission.ts';

/** Who asks. Every operation looks at it before anything else. */
export type Caller = {
  /** Name of the token; stands in the record as `by`. */
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Id of the token that was shown; left out where none was: of a session, and of Edge itself. */
  readonly token?: string;
  /** Of a worker: the only pool that it may serve. */
  readonly pool?: string;
  /** When its token ends; what it makes ends no later. */
  readonly expiresAt: number | null;
};

/** Throws `permission_denied`. */
export function authorize(caller: Caller, permission: Permission): void {
  if (caller.permissions.has(permission)) return;
  throw new EdgeError('permission_denied', `The token "${caller.name}" lacks the permission ${permission}`);
}
