/** A key that a host shows: its type, such as `ssh-ed25519`, and its fingerprint as `ssh-keygen -l` prints it. */
export type ShownKey = { readonly type: string; readonly fingerprint: string };

/** A key that a person has compared and recorded; `by` is the name of the token. */
export type TrustedKey = ShownKey & { readonly by: string };

/**
 * Which key is trusted at an address of an environment, and which ones were before it, oldest first. A record has the store's
 * time of its last write, so `at` stands beside the earlier ones only.
 */
export type HostKeyRecord = {
  readonly environment: string;
  readonly address: string;
  readonly port: number;
  readonly key: TrustedKey;
  readonly earlier: readonly (TrustedKey & { readonly at: number })[];
};

/** Where a key is shown, as one text. */
export const placeOfKey = (address: string, port: number): string => `${address}:${port}`;
