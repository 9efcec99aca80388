import { Agent, get } from 'node:http';

export type LoadSettings = {
  readonly url: string;
  /** Requests that are started per second, whatever becomes of the earlier ones. */
  readonly ratePerS: number;
  /** Every n-th request goes to `path`, which answers slowly; 0 for none. */
  readonly slow?: { readonly every: number; readonly path: string };
  /** Requests in flight at most; one that would exceed it is not sent, and counted in `notSent`. */
  readonly concurrency?: number;
  readonly timeoutMs?: number;
  /** A release that answers with errors on purpose: they are no failed requests, but counted apart. */
  readonly faulty?: string;
};

/**
 * What clients met. A request failed if it got no whole answer in time, or one other than 2xx; each is counted once and
 * none is tried again; `errors` are no failures. `notSent` is not 0 when the load could not be offered in full: then the rate was not reached.
 */
export type LoadReport = {
  readonly total: number;
  readonly failed: number;
  readonly notSent: number;
  /** Whole 5xx answers of the release that gives them on purpose. */
  readonly errors: number;
  /** Whole 2xx answers by their `X-App-Version`. */
  readonly byVersion: Readonly<Record<string, number>>;
  /** Failures by what was seen, and the first of them with their time since the start. */
  readonly failures: Readonly<Record<string, number>>;
  readonly samples: readonly { readonly atMs: number; readonly path: string; readonly why: string }[];
  readonly durationMs: number;
};

export type Load = {
  /** As of now; requests in flight are in `total` when they have ended. */
  report(): LoadReport;
  /** Sends no more, waits for what is in flight, and reports. */
  stop(): Promise<LoadReport>;
};

const TICK_MS = 5;
const SAMPLES = 20;

/** Clients with keep-alive connections that never retry, at a fixed rate until `stop`. */
export function startLoad(settings: LoadSettings): Load {
  const { ratePerS, concurrency = 256 } = settings;
  const client = new Client(settings);
  const started = performance.now();
  let due = 0;
  const timer = setInterval(() => {
    const target = Math.floor(((performance.now() - started) * ratePerS) / 1000);
    for (; due < target; due += 1) {
      if (client.inFlight < concurrency) client.send(due);
      else client.notSent += 1;
    }
  }, TICK_MS);
  return {
    report: () => client.report(),
    stop: async () => {
      clearInterval(timer);
      await client.settled();
      return client.report();
    },
  };
}

class Client {
  readonly #settings: LoadSettings;
  /** Idle connections end here before a server with the usual 60 s or more ends them. */
  readonly #agent = new Agent({ keepAlive: true, timeout: 30_000 });
  readonly #started = performance.now();
  readonly #byVersion = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #samples: LoadReport['samples'][number][] = [];
  #total = 0;
  #failed = 0;
  #errors = 0;
  #idle: (() => void) | undefined;
  inFlight = 0;
  notSent = 0;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
  }

  send(index: number): void {
    const { url, slow, timeoutMs = 10_000 } = this.#settings;
    const path = slow && slow.every > 0 && index % slow.every === slow.every - 1 ? slow.path : '/';
    this.inFlight += 1;
    let ended = false;
    const end = (why: string | undefined, version = 'none'): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      this.#count(path, why, version);
    };
    const request = get(new URL(path, url), { agent: this.#agent });
    const timer = setTimeout(() => {
      end(`no whole answer within ${timeoutMs} ms`);
      request.destroy();
    }, timeoutMs);
    request.on('error', (error) => end('code' in error ? String(error.code) : error.message));
    request.on('response', (answer) => {
      const { statusCode = 0, headers } = answer;
      answer.on('error', () => end('the answer was cut off'));
      answer.on('end', () => {
        const good = statusCode >= 200 && statusCode < 300;
        const version = String(headers['x-app-version'] ?? 'none');
        const isMeant = statusCode >= 500 && version === this.#settings.faulty;
        if (isMeant) this.#errors += 1;
        end(good || isMeant ? undefined : `status ${statusCode}`, version);
      });
      answer.resume();
    });
  }

  #count(path: string, why: string | undefined, version: string): void {
    this.inFlight -= 1;
    this.#total += 1;
    if (why === undefined) this.#byVersion.set(version, (this.#byVersion.get(version) ?? 0) + 1);
    else this.#fail(path, why);
    if (this.inFlight === 0) this.#idle?.();
  }

  #fail(path: string, why: string): void {
    this.#failed += 1;
    this.#failures.set(why, (this.#failures.get(why) ?? 0) + 1);
    if (this.#samples.length < SAMPLES)
      this.#samples.push({ atMs: Math.round(performance.now() - this.#started), path, why });
  }

  /** Every request has a timeout, so that this ends. */
  async settled(): Promise<void> {
    if (this.inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#agent.destroy();
  }

  report(): LoadReport {
    return {
      total: this.#total,
      failed: this.#failed,
      notSent: this.notSent,
      errors: this.#errors,
      byVersion: Object.fromEntries(this.#byVersion),
      failures: Object.fromEntries(this.#failures),
      samples: [...this.#samples],
      durationMs: Math.round(performance.now() - this.#started),
    };
  }
}
