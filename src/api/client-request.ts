import { EdgeError } from '../domain/errors.ts';
import type { Route } from './route.ts';
import { errorReplySchema } from './shapes.ts';

/** How requests of the client are made; `client.ts` is what callers see. */

export type Connection = {
  readonly server: string;
  readonly token: string | undefined;
  readonly deadlineMs: number;
  readonly fetch: typeof fetch;
};

export type Given = {
  readonly input: object;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What a route that waits, or asks hosts and balancers, may take beyond the deadline of the caller. */
const LONG_POLL_MS = 60_000;
/** Whoever waits for longer asks again: what was brought is kept. */
const SLOW_MS = 280_000;

/** Sends a request; any status is an answer. Throws `server_unreachable`, or the reason of the caller's signal. */
export async function send(connection: Connection, route: Route, given: Given): Promise<Response> {
  const { path, query, body } = placed(route, given.input);
  const limitMs = connection.deadlineMs + (route.slow ? SLOW_MS : route.longPoll ? LONG_POLL_MS : 0);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error(`no answer within ${limitMs} ms`)), limitMs);
  const signals = given.signal ? [deadline.signal, given.signal] : [deadline.signal];
  try {
    const response = await connection.fetch(`${connection.server}${path}${query}`, {
      method: route.method,
      headers: {
        ...(connection.token !== undefined && { authorization: `Bearer ${connection.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...given.headers,
      },
      ...(body !== undefined && { body }),
      redirect: 'error',
      signal: AbortSignal.any(signals),
    });
    return response;
  } catch (cause) {
    given.signal?.throwIfAborted();
    throw unreachable(connection, cause);
  } finally {
    clearTimeout(timer);
  }
}

export function unreachable({ server }: Connection, cause: unknown): EdgeError {
  return new EdgeError('server_unreachable', `No Edge server answers at ${server}: ${innermost(cause)}`, {
    cause,
  });
}

/** `fetch failed` says nothing; what failed is in its cause. */
function innermost(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.cause instanceof Error) return innermost(thrown.cause);
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return innermost(thrown.errors[0]);
  return thrown.message;
}

/** The error that the server sent; something that is none came from a proxy or from another server. */
export async function errorOf(connection: Connection, response: Response): Promise<EdgeError> {
  const body: unknown = await response.json().catch(() => undefined);
  return errorFrom(body) ?? unreachable(connection, `${response.status} from something that is not Edge`);
}

export function errorFrom(body: unknown): EdgeError | undefined {
  const parsed = errorReplySchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { code, message, hint, where, also } = parsed.data.error;
  return new EdgeError(code, message, { hint, ...(where && { where }), ...(also && { also }) });
}

/** Puts each field of the input where the route wants it: the path, the query, and all the rest in the body. */
function placed(route: Route, input: object): { path: string; query: string; body: string | undefined } {
  const rest: Record<string, unknown> = { ...input };
  const take = (name: string): unknown => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(take(name))));
  const query = new URLSearchParams();
  for (const name of Object.keys(route.query?.shape ?? {})) {
    const value = take(name);
    if (value !== undefined) query.set(name, String(value));
  }
  const body = route.body ? JSON.stringify(rest) : undefined;
  return { path, query: query.size > 0 ? `?${query}` : '', body };
}
