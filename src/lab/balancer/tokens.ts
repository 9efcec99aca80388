import { randomBytes } from 'node:crypto';

/** From the one that may least: read; switch members; change them; sync and save the configuration; all. */
export const LAB_ROLES = ['guest', 'operator', 'manager', 'resource-admin', 'admin'] as const;
export type LabRole = (typeof LAB_ROLES)[number];

/** An account of the device. Below the two highest roles it writes to its own partition only. */
export type LabUser = {
  readonly name: string;
  readonly password: string;
  readonly role: LabRole;
  /** `all`, or the one partition that it may write to. */
  readonly partition: string;
};

export type Token = { readonly token: string; readonly user: LabUser; expiresAt: number };
/** May this user do what needs a role? */
export const hasRole = (user: LabUser, least: LabRole): boolean =>
  LAB_ROLES.indexOf(user.role) >= LAB_ROLES.indexOf(least);

export type TokenCheck = { readonly user: LabUser } | 'expired' | 'unknown';

export const TOKEN_TIMEOUT_S = 1_200;
/** Live tokens of one user; only the account named `admin` has no limit. */
export const TOKEN_LIMIT = 100;

/** The login tokens of the device: at most 100 live ones per user, each for 20 minutes. `now` is ms since the epoch. */
export class Tokens {
  readonly #users: readonly LabUser[];
  readonly #now: () => number;
  readonly #tokens = new Map<string, Token>();
  #issued = 0;

  constructor(users: readonly LabUser[], now: () => number) {
    this.#users = users;
    this.#now = now;
  }

  /** Logins that were answered with a token, since the start. */
  get issued(): number {
    return this.#issued;
  }

  live(user: string): number {
    const now = this.#now();
    return [...this.#tokens.values()].filter((token) => token.user.name === user && token.expiresAt > now)
      .length;
  }

  login(name: string, password: string): Token | 'refused' | 'full' {
    const user = this.#users.find((known) => known.name === name && known.password === password);
    if (!user) return 'refused';
    if (name !== 'admin' && this.live(name) >= TOKEN_LIMIT) return 'full';
    const token = {
      token: randomBytes(13).toString('hex').toUpperCase(),
      user,
      expiresAt: this.#now() + TOKEN_TIMEOUT_S * 1000,
    };
    this.#tokens.set(token.token, token);
    this.#issued += 1;
    return token;
  }

  check(token: string): TokenCheck {
    const known = this.#tokens.get(token);
    if (!known) return 'unknown';
    return known.expiresAt > this.#now() ? { user: known.user } : 'expired';
  }

  delete(token: string): boolean {
    return this.#tokens.delete(token);
  }

  endAll(how: 'expired' | 'forgotten'): void {
    if (how === 'forgotten') this.#tokens.clear();
    for (const token of this.#tokens.values()) token.expiresAt = 0;
  }
}
