import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setInterval as every } from 'node:timers/promises';

/** An application whose metrics page is read. */
export type Measured = { readonly instance: string; readonly url: string };

/** The metrics of all applications of a lab, over the last minutes, for whoever asks by HTTP. */
export type LabMetrics = {
  readonly url: string;
  stop(): Promise<void>;
};

const EVERY_MS = 1_000;
/** Of each application. */
const MOST_SAMPLES = 900;
/** A value stands for the times that are later by less than this: one that was not read since is not known. */
const REACH_MS = 3 * EVERY_MS;

/** What an application had counted at a time. */
type Counted = { readonly atMs: number; readonly requests: number; readonly failed: number };
type Counter = 'requests' | 'failed';

/**
 * Reads the metrics page of each application every second, and tells how much was counted: `GET /series?q=failed 5s&from=…&to=…&step=…`
 * (ms since the epoch) gives for each point how many requests have failed in the 5 s before it, `requests` how many there were. What nobody has
 * read, and what a restart has set back, is `null`.
 */
export async function startLabMetrics(applications: readonly Measured[]): Promise<LabMetrics> {
  const stopping = new AbortController();
  const samples = new Map<string, Counted[]>(applications.map(({ instance }) => [instance, []]));
  const server = createServer((request, response) => {
    const asked = askedIn(new URL(request.url ?? '/', 'http://lab'));
    const status = asked ? 200 : 400;
    const body = asked ? seriesOf(samples, asked) : { error: 'ask /series?q=failed 5s&from=…&to=…&step=…' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const reading = read(applications, samples, stopping.signal);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      stopping.abort();
      await reading;
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

async function read(
  applications: readonly Measured[],
  samples: ReadonlyMap<string, Counted[]>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of every(EVERY_MS, undefined, { signal }))
      await Promise.all(applications.map((one) => readOne(one, samples.get(one.instance) ?? [], signal)));
  } catch (fault) {
    if (!signal.aborted) throw fault;
  }
}

async function readOne({ url }: Measured, samples: Counted[], signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(EVERY_MS)]);
  const page = await fetch(`${url}/metrics`, { signal: limit })
    .then((answer) => (answer.ok ? answer.text() : undefined))
    .catch(() => undefined);
  if (page === undefined) return;
  samples.push({ atMs: Date.now(), ...countedIn(page) });
  if (samples.length > MOST_SAMPLES) samples.shift();
}

/** Of the text format of Prometheus; see src/lab/app/server.mjs. */
function countedIn(page: string): { readonly requests: number; readonly failed: number } {
  const found = [...page.matchAll(/^http_requests_total\{code="(\d+)"[^}]*\} (\d+)$/gm)];
  const sum = (some: typeof found) => some.reduce((all, [, , value]) => all + Number(value), 0);
  return { requests: sum(found), failed: sum(found.filter(([, code = '']) => code.startsWith('5'))) };
}

type Asked = {
  readonly counter: Counter;
  readonly windowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
};

function askedIn({ pathname, searchParams }: URL): Asked | undefined {
  const [, counter, amount, unit] = /^(requests|failed) (\d+)(ms|s)$/.exec(searchParams.get('q') ?? '') ?? [];
  const [fromMs, toMs, stepMs] = ['from', 'to', 'step'].map((name) => Number(searchParams.get(name)));
  if (pathname !== '/series' || (counter !== 'requests' && counter !== 'failed')) return undefined;
  if (!fromMs || !toMs || !stepMs || stepMs < 100 || (toMs - fromMs) / stepMs > 11_000) return undefined;
  return { counter, windowMs: Number(amount) * (unit === 's' ? 1_000 : 1), fromMs, toMs, stepMs };
}

function seriesOf(samples: ReadonlyMap<string, readonly Counted[]>, { fromMs, toMs, stepMs, ...of }: Asked) {
  const times = Array.from(
    { length: Math.floor((toMs - fromMs) / stepMs) + 1 },
    (_, n) => fromMs + n * stepMs,
  );
  return {
    series: [...samples].map(([instance, own]) => ({
      labels: { instance },
      times,
      values: times.map((atMs) => grownBy(own, atMs, of)),
    })),
  };
}

function grownBy(
  samples: readonly Counted[],
  atMs: number,
  { counter, windowMs }: Pick<Asked, 'counter' | 'windowMs'>,
): number | null {
  const newest = (toMs: number) => samples.findLast((one) => one.atMs <= toMs && one.atMs > toMs - REACH_MS);
  const [end, begin] = [newest(atMs), newest(atMs - windowMs)];
  if (!end || !begin || end.requests < begin.requests || end.failed < begin.failed) return null;
  return end[counter] - begin[counter];
}
