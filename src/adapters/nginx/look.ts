/** What a host of nginx says of itself at one moment; the script of a look writes it. Pure. */
export type Look = {
  /** The file: bytes as latin1. */
  readonly file: string;
  /** The file was written after the workers had started: what nginx does is not what the file says. */
  readonly isPending: boolean;
  readonly workers: { readonly current: number; readonly old: number };
  /** Established (or opening) TCP connections by `peerKey`; `undefined`: they cannot be seen. */
  readonly connections: ReadonlyMap<string, number> | undefined;
};

/** Clock ticks that Linux shows to programs, in a second: 100 on every architecture that counts. */
const TICKS = 100;
/** Times of files and processes are compared over two clocks, one of them in whole seconds. */
const SLACK_S = 5;

/** `undefined` if the reply is not whole. */
export function parseLook(reply: string, id: string): Look | undefined {
  const [file = '', ...parts] = reply.split(`\n@${id} `);
  const lines = parts.map((part) => part.trimEnd().split(' '));
  const those = (word: string) => lines.filter(([first]) => first === word).map((line) => line.slice(1));
  const [times] = those('times');
  if (!times || those('done').length === 0) return undefined;
  const [writtenS = 0, nowS = 0, upS = 0] = times.map(Number);
  const workers = those('worker').map(([, started, age]) => ({
    startedS: nowS - upS + Number(started) / TICKS,
    age,
  }));
  const current = workers.filter(({ age }) => age === 'current');
  return {
    file,
    isPending: current.some(({ startedS }) => writtenS > startedS + SLACK_S),
    workers: { current: current.length, old: workers.length - current.length },
    connections: those('counted').length > 0 ? countOf(those('peer').map(([peer = '']) => peer)) : undefined,
  };
}

function countOf(peers: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const peer of peers) counts.set(peer, (counts.get(peer) ?? 0) + 1);
  return counts;
}

/**
 * The live connections to a server. None are counted by name or socket: which addresses nginx made of a name when it loaded
 * the file, nobody can tell. Zero is said only when no worker of an earlier configuration is left: such a one may have taken a
 * request that it has not passed on yet.
 */
export function connectionsTo(address: string, { connections, workers }: Look): number | undefined {
  const keys = peerKeys(address);
  if (!connections || keys.length === 0) return undefined;
  const count = keys.reduce((sum, key) => sum + (connections.get(key) ?? 0), 0);
  return count === 0 && workers.old > 0 ? undefined : count;
}

/** How `/proc/net/tcp` writes an address and a port: words of 32 bits, in the order of the machine (either is tried). */
function peerKeys(address: string): readonly string[] {
  const [, six, four, port = '80'] =
    /^(?:\[([0-9a-f:.]+)\]|(\d+(?:\.\d+){3}))(?::(\d+))?$/i.exec(address) ?? [];
  const bytes = four === undefined ? bytesOfSix(six) : bytesOfFour(four);
  if (!bytes) return [];
  const end = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;
  const mapped = bytes.length === 4 ? [[...MAPPED, ...bytes]] : [];
  return [...new Set([bytes, ...mapped].flatMap((each) => [hex(swapped(each)) + end, hex(each) + end]))];
}

/** An IPv4 address as an IPv6 socket has it. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function bytesOfFour(text: string): readonly number[] | undefined {
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function bytesOfSix(text = ''): readonly number[] | undefined {
  if (!URL.canParse(`http://[${text}]/`)) return undefined;
  // Normal form: no dotted end, no leading zeros, at most one gap.
  const normal = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const wordsOf = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [wordsOf(head), wordsOf(tail ?? '')];
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...gap, ...after].flatMap((word) => [word >> 8, word & 0xff]);
}

function swapped(bytes: readonly number[]): readonly number[] {
  return bytes.map((_, index) => bytes[(index & ~3) + 3 - (index & 3)] ?? 0);
}

const hex = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
