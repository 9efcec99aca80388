import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import type { Backoff } from '../../lib/retry.ts';
import type { HttpClient, HttpResult } from '../../outbound/http.ts';
import { parseUnits, type UnitView } from './cluster.ts';
import { failureOf, forbidden, isFull, isStarting, loginFailure, unauthorised } from './failure.ts';

export type UnitOptions = {
  readonly http: HttpClient;
  /** Of the unit's REST interface, without a path. */
  readonly origin: string;
  readonly username: string;
  readonly loginProvider: string;
  /** Resolved anew for each login, so that a rotated password is used at once. */
  readonly password: () => Promise<string>;
  /** Waits while the control plane starts or is busy. */
  readonly backoffMs: Backoff;
  readonly timeoutMs: number;
  /** There is another unit to turn to: one that cannot be reached is not waited for. */
  readonly hasPeer: boolean;
};

export type Ask = {
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly path: string;
  readonly body?: Readonly<Record<string, string | number>>;
  /** For what takes the device long. */
  readonly timeoutMs?: number;
  /** Called before each try, which is not made if it throws. */
  readonly before?: () => void;
};

/** Why work on a unit cannot go on there. `failure` is what to say if it cannot go on elsewhere either. */
export class UnitLeft extends Error {
  readonly why: 'ended' | 'standby';
  readonly failure: EdgeError;

  constructor(why: 'ended' | 'standby', failure: EdgeError) {
    super(failure.message);
    this.why = why;
    this.failure = failure;
  }
}

const MAX_ANSWER_BYTES = 16_000_000;
const TOKENS = '/mgmt/shared/authz/tokens';
export const DEVICES = '/mgmt/tm/cm/device';

/**
 * One unit's REST interface, with one token for all calls of this process: made when it is first needed, deleted when the
 * unit is left, since a user can hold 100 of them and no more (INTEGRATIONS.md 1.1).
 */
export class F5Unit {
  readonly #options: UnitOptions;
  readonly #closing: AbortSignal;
  #token: string | undefined;

  constructor(options: UnitOptions, closing: AbortSignal) {
    this.#options = options;
    this.#closing = closing;
  }

  get origin(): string {
    return this.#options.origin;
  }

  /** What the unit says of itself, with the token it has, or a new one. `undefined`: it does not say. */
  async look(): Promise<UnitView | undefined> {
    if (this.#token === undefined) return this.#lookAnew();
    try {
      return await this.view(this.#closing);
    } catch (error) {
      if (!(error instanceof UnitLeft)) throw error;
      return this.#lookAnew();
    }
  }

  async #lookAnew(): Promise<UnitView | undefined> {
    this.#token = await this.#newToken();
    return this.view(this.#closing);
  }

  async view(signal: AbortSignal): Promise<UnitView | undefined> {
    const seen = await this.call({ method: 'GET', path: DEVICES }, signal).catch(unlessRefused);
    if (seen === undefined) return undefined;
    if (seen.kind === 'nothing' || isStarting(seen)) throw failureOf(seen, `GET ${DEVICES}`);
    return seen.status === 200 ? parseUnits(jsonOf(seen.body)) : undefined;
  }

  /**
   * Asks with the token of the last look. Rejects with `UnitLeft` when that has ended, and with `balancer_refused` for a
   * missing permission at once and for a spurious 401 after one more try. Any other answer is a value.
   */
  async call(ask: Ask, signal: AbortSignal): Promise<HttpResult> {
    for (let spurious = false; ; spurious = true) {
      signal.throwIfAborted();
      const token = this.#token;
      const seen = await this.#send(ask, token ?? '', signal);
      const why = unauthorised(seen);
      if (why === undefined) return seen;
      const refused = forbidden(seen, `${ask.method} ${ask.path}`);
      if (why === 'ended') {
        if (this.#token === token) this.#token = undefined;
        throw new UnitLeft('ended', refused);
      }
      if (why === 'forbidden' || spurious) throw refused;
    }
  }

  /** Deletes the token, as far as the device lets us. */
  async drop(): Promise<void> {
    const token = this.#token;
    this.#token = undefined;
    if (token === undefined) return;
    const { http, origin, timeoutMs } = this.#options;
    const headers = { 'x-f5-auth-token': token };
    const url = `${origin}${TOKENS}/${token}`;
    // It may be gone already; then there is nothing left to end.
    await http.send(
      { method: 'DELETE', url, headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES },
      new AbortController().signal,
    );
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
        // A login whose answer was lost may have made a token: it is not repeated. A full quota may have room in a moment.
        retry: {
          backoffMs,
          again: (seen) => (this.#isWorthAnother(seen) && !wasLost(seen)) || isFull(seen),
        },
      },
      this.#closing,
    );
    const token = seen.kind === 'answer' && seen.status === 200 ? parseToken(seen.body) : undefined;
    if (token === undefined) throw loginFailure(seen, username);
    return token;
  }

  #send(ask: Ask, token: string, signal: AbortSignal): Promise<HttpResult> {
    const { http, origin, backoffMs, timeoutMs } = this.#options;
    return http.send(
      {
        method: ask.method,
        url: `${origin}${ask.path}`,
        headers: { 'x-f5-auth-token': token, ...(ask.body && { 'content-type': 'application/json' }) },
        ...(ask.body && { body: JSON.stringify(ask.body) }),
        timeoutMs: ask.timeoutMs ?? timeoutMs,
        ...(ask.before && { before: ask.before }),
        maxBytes: MAX_ANSWER_BYTES,
        // Every call states what is wanted, so that one more of the same is harmless.
        retry: { backoffMs, again: (seen) => this.#isWorthAnother(seen) },
      },
      signal,
    );
  }

  #isWorthAnother(seen: HttpResult): boolean {
    return isStarting(seen) && !(this.#options.hasPeer && seen.kind === 'nothing');
  }
}

/** An account that may not ask what the unit is, may still switch members there. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof EdgeError) || error.code !== 'balancer_refused') throw error;
}

const wasLost = (seen: HttpResult): boolean => seen.kind === 'nothing' && seen.reason === 'lost';

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

/** The JSON of a 200. Throws what the answer is instead. */
export function bodyOf(seen: HttpResult, what: string): unknown {
  if (seen.kind === 'nothing' || seen.status !== 200) throw failureOf(seen, what);
  return jsonOf(seen.body);
}
