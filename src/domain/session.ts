/**
 * A person who has signed in on the page with a token. The session itself is a secret of the browser and never stored: `hash` is its
 * SHA-256. It is good for as long as its token is, and no longer than `expiresAt`. Times are ms since the epoch.
 */
export type Session = {
  readonly id: string;
  readonly hash: string;
  /** Id of the token that was shown. */
  readonly token: string;
  readonly createdAt: number;
  readonly expiresAt: number;
};
