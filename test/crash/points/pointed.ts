import { answered, begin, deed, point, underWay } from './point.ts';

/** What an answer with something in it shows. */
const DEEDS: Readonly<Record<string, string>> = {
  'journal.acquire': 'drives',
  'board.claim': 'works',
  'balancer.disable': 'steers',
  'balancer.restore': 'steers',
};

export type Pointed = {
  /** Before the dot in the names of its points. */
  readonly name: string;
  readonly methods: readonly string[];
  /** Other names for some calls, by their arguments. */
  readonly nameOf?: (method: string, args: readonly unknown[]) => string;
};

/** A port whose calls pass `<name>.<method>:before` and, once they have succeeded, `:after`. */
export function pointed<Port extends object>(
  port: Port,
  { name, methods, nameOf = (method) => method }: Pointed,
): Port {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function' || typeof key !== 'string') return value;
      if (!methods.includes(key)) return value.bind(target);
      return (...args: readonly unknown[]) =>
        passing(`${name}.${nameOf(key, args)}`, async () => Reflect.apply(value, target, args));
    },
  });
}

/** An answer that is an empty list took nothing: it is no passage, and shows nothing. */
async function passing<T>(call: string, make: () => Promise<T>): Promise<T> {
  if (call === 'journal.create') begin();
  if (underWay()) point(`${call}:before`);
  const answer = await make().catch((fault: unknown) => {
    answered(`${call}:before`, { rejected: String(fault) });
    throw fault;
  });
  answered(`${call}:before`, answer);
  if (isNothing(answer)) return answer;
  begin();
  if (DEEDS[call] !== undefined) deed(DEEDS[call]);
  point(`${call}:after`);
  return answer;
}

export const isNothing = (answer: unknown): boolean => Array.isArray(answer) && answer.length === 0;

/** Checkpoints are stored by the call that renews leases; they are told apart, since an intent must be stored first. */
const boardNames = (method: string, [, items]: readonly unknown[]): string => {
  const stores = Array.isArray(items) && items.some((item) => item !== null && 'checkpoint' in item);
  return method === 'renew' && stores ? 'checkpoint' : method;
};

export const BOARD: Pointed = {
  name: 'board',
  methods: ['claim', 'renew', 'report', 'appendOutput'],
  nameOf: boardNames,
};

export const BALANCER: Pointed = { name: 'balancer', methods: ['members', 'disable', 'restore'] };
