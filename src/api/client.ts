import { EdgeError } from '../domain/errors.ts';
import { type Connection, errorOf, send } from './client-request.ts';
import { follow, type StreamOptions } from './client-stream.ts';
import {
  type CallName,
  type Input,
  type Output,
  ROUTES,
  type RouteName,
  type StreamName,
} from './contract.ts';
import type { Route } from './route.ts';

export type ClientOptions = {
  /** Such as `http://127.0.0.1:7070`. */
  readonly server: string;
  readonly token?: string;
  /** How long a call may take; long polls get this on top of theirs. */
  readonly deadlineMs?: number;
  /** Another way to the server: through a CA of one's own, or into a server in the same process. */
  readonly fetch?: typeof fetch;
};
export type CallOptions = { readonly signal?: AbortSignal };

/** A call whose input is empty, or all optional, may leave it out. */
type Arguments<N extends RouteName, O> =
  Record<never, never> extends Input<N>
    ? readonly [input?: Input<N>, options?: O]
    : readonly [input: Input<N>, options?: O];

/** One method for each route: a promise, or for a stream an iterable that reconnects by itself. */
export type EdgeClient = {
  readonly [N in CallName]: (...given: Arguments<N, CallOptions>) => Promise<Output<N>>;
} & {
  readonly [N in StreamName]: (...given: Arguments<N, StreamOptions>) => AsyncIterable<Output<N>>;
};

/**
 * A client of the API, made from the contract. Every method rejects with an `EdgeError`: the server's own, or
 * `server_unreachable` when nothing answers in time or something else than an Edge server does.
 */
export function edgeClient(options: ClientOptions): EdgeClient {
  const connection: Connection = {
    server: options.server.replace(/\/+$/, ''),
    token: options.token,
    deadlineMs: options.deadlineMs ?? 10_000,
    fetch: options.fetch ?? fetch,
  };
  const routes = Object.entries<Route>(ROUTES).filter(([, route]) => route.bytes === undefined);
  const methods = routes.map(([name, route]) => [
    name,
    route.stream
      ? (input: object = {}, given: StreamOptions = {}) => follow(connection, route, { input, ...given })
      : (input: object = {}, given: CallOptions = {}) => call(connection, route, { input, ...given }),
  ]);
  // The keys are those of ROUTES, and each value is made from its route: what the type says, in a form it cannot follow.
  return Object.fromEntries(methods) as EdgeClient;
}

async function call(
  connection: Connection,
  route: Route,
  given: CallOptions & { readonly input: object },
): Promise<unknown> {
  const response = await send(connection, route, given);
  if (!response.ok) throw await errorOf(connection, response);
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = route.response.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new EdgeError(
    'server_unreachable',
    `${connection.server} does not answer as this version of Edge expects`,
    {
      hint: 'Use the CLI of the same version as the server.',
      cause: parsed.error,
    },
  );
}
