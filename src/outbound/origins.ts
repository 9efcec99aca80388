/** Scheme, host and port of an address, and `file://` for files of this machine. (`URL.origin` knows no ssh.) */
export function originOf(address: string): string {
  const { protocol, host } = new URL(address);
  return `${protocol}//${host.toLowerCase()}`;
}

/** Why nobody asks an address; `undefined` where it is one of those that may be asked, or any may. */
export function refusalOf(address: string, origins: readonly string[] | undefined): string | undefined {
  const origin = originOf(address);
  if (!origins || origins.includes(origin)) return undefined;
  return `${origin} is none of the addresses that artifacts may come from`;
}
