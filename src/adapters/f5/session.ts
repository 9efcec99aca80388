import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import { abortable } from '../../lib/abortable.ts';
import type { Backoff } from '../../lib/retry.ts';
import type { HttpClient, HttpResult } from '../../outbound/http.ts';
import { forbidden, isStarting, loginFailure, type Unauthorised, unauthorised } from './failure.ts';
import { parseFailover } from './wire.ts';

export type SessionOptions = {
  readonly http: HttpClient;
  /** Of the device's REST interface, without a path. */
  readonly origin: string;
  readonly username: string;
  readonly loginProvider: string;
  /** Resolved anew for each login, so that a rotated password is used at once. */
  readonly password: () => Promise<string>;
  /** Waits while the control plane starts or is busy. */
  readonly backoffMs: Backoff;
  readonly timeoutMs: number;
};

export type Ask = {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, string>>;
};

const MAX_ANSWER_BYTES = 16_000_000;
const TOKENS = '/mgmt/shared/authz/tokens';

/**
 * One session on one device: one token for all calls of this process, made at the first call and deleted at the end, since
 * a user can hold 100 of them and no more (INTEGRATIONS.md 1.1).
 */
export class F5Session {
  readonly #options: SessionOptions;
  readonly #closing = new AbortController();
  /** The login under way, or done; all calls share it. */
  #login: Promise<string> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Asks, logging in if needed. An ended token leads to one new login and a spurious 401 to one more try; after that, and
   * for a missing permission at once, it rejects with `balancer_refused`. Any other answer is a value.
   */
  async call(ask: Ask, callerSignal: AbortSignal): Promise<HttpResult> {
    const signal = AbortSignal.any([callerSignal, this.#closing.signal]);
    const met = new Set<Unauthorised>();
    for (;;) {
      signal.throwIfAborted();
      this.#login ??= this.#logIn();
      const login = this.#login;
      const seen = await this.#send(ask, await abortable(login, signal), signal);
      const why = unauthorised(seen);
      if (why === undefined) return seen;
      if (why === 'forbidden' || met.has(why)) throw forbidden(seen, `${ask.method} ${ask.path}`);
      met.add(why);
      if (why === 'ended' && this.#login === login) this.#login = undefined;
    }
  }

  /** Deletes the token, as far as the device lets us, and ends the connections. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the balancer is closed'));
    const token = await this.#login?.catch(() => undefined);
    this.#login = undefined;
    if (token !== undefined) await this.#deleteToken(token);
    await this.#options.http.close();
  }

  async #logIn(): Promise<string> {
    try {
      const token = await this.#newToken();
      await this.#requireActive(token);
      return token;
    } catch (error) {
      this.#login = undefined;
      throw error;
    }
  }

  async #newToken(): Promise<string> {
    const { http, origin, username, loginProvider, backoffMs, timeoutMs } = this.#options;
    const password = await this.#options.password();
    const seen = await http.send(
      {
        method: 'POST',
        url: `${origin}/mgmt/shared/authn/login`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, password, loginProviderName: loginProvider }),
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        // A login whose answer was lost may have made a token: it is not repeated.
        retry: {
          backoffMs,
          again: (result) => isStarting(result) && !(result.kind === 'nothing' && result.reason === 'lost'),
        },
      },
      this.#closing.signal,
    );
    const token = seen.kind === 'answer' && seen.status === 200 ? parseToken(seen.body) : undefined;
    if (token === undefined) throw loginFailure(seen, username);
    return token;
  }

  /** A drain on the standby unit would be lost. A device that does not say what it is, is believed. */
  async #requireActive(token: string): Promise<void> {
    const seen = await this.#send({ method: 'GET', path: '/mgmt/tm/cm/device' }, token, this.#closing.signal);
    const state =
      seen.kind === 'answer' && seen.status === 200 ? parseFailover(jsonOf(seen.body)) : undefined;
    if (state === undefined || state === 'active') return;
    await this.#deleteToken(token);
    const hint =
      'Set the url of the balancer to the unit that is active, or to an address that moves with it.';
    throw new EdgeError('balancer_refused', `${this.#options.origin} is the ${state} unit of its group`, {
      hint,
    });
  }

  async #deleteToken(token: string): Promise<void> {
    const { http, origin, timeoutMs } = this.#options;
    const headers = { 'x-f5-auth-token': token };
    const url = `${origin}${TOKENS}/${token}`;
    // It may be gone already; then there is nothing left to end.
    await http.send(
      { method: 'DELETE', url, headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES },
      new AbortController().signal,
    );
  }

  #send(ask: Ask, token: string, signal: AbortSignal): Promise<HttpResult> {
    const { http, origin, backoffMs, timeoutMs } = this.#options;
    return http.send(
      {
        method: ask.method,
        url: `${origin}${ask.path}`,
        headers: { 'x-f5-auth-token': token, ...(ask.body && { 'content-type': 'application/json' }) },
        ...(ask.body && { body: JSON.stringify(ask.body) }),
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        // Every call states what is wanted, so that one more of the same is harmless.
        retry: { backoffMs, again: isStarting },
      },
      signal,
    );
  }
}

const TokenSchema = z.object({ token: z.object({ token: z.string().min(1) }) });

function parseToken(body: string): string | undefined {
  return TokenSchema.safeParse(jsonOf(body)).data?.token.token;
}

/** The body as JSON, or `undefined`. */
export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
