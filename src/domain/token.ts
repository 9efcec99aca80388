import type { Role } from './permission.ts';

/** An API token. The token itself is shown once and never stored: `hash` is its SHA-256. Times are ms since the epoch. */
export type Token = {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Of a worker: the pool whose tasks it may take, and no other. */
  readonly pool?: string;
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
};
