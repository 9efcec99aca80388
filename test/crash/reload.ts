import { parseArgs } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { type Reloaded, reloadInMidDeployment } from '../support/reloads.ts';

/** Until what a reload put back is out of service again. */
const P95_LIMIT_MS = 1_000;

/**
 * A HAProxy that starts takes every server for up until it has looked at it, so that a gate on the health page alone lets
 * through what comes before that look.
 */
const SETTINGS = [
  { name: 'keeper' },
  { name: 'stateFile', keepsState: true },
  { name: 'gateOnPage', gate: 'page' },
  { name: 'gateOnPort', gate: 'port' },
] as const;

/** With these nothing gets through, not even until the keeper has looked. */
const CLOSED: ReadonlySet<string> = new Set(['stateFile', 'gateOnPort']);

type Figures = {
  readonly reloads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  /** Requests that reached members that Edge held: until they were out again, and after that. */
  readonly requests: number;
  readonly late: number;
};

/** `npm run crash -- reload [--reloads 50] [--json]`: exit status 1 if a drain was not kept as it is promised. */
export async function crashReload(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { reloads: { type: 'string', default: '50' }, json: { type: 'boolean', default: false } },
  });
  const [sshd, haproxy] = [requireService('sshd'), requireService('haproxy')];
  if (sshd.path === undefined || haproxy.path === undefined) throw new Error(sshd.skip ?? haproxy.skip);
  const figures: Record<string, Figures> = {};
  for (const [index, { name, ...lock }] of SETTINGS.entries()) {
    const seen = await reloadInMidDeployment({
      ...{ sshdPath: sshd.path, haproxyPath: haproxy.path, network: `127.75.${index + 1}` },
      ...{ reloads: Number(values.reloads), ...lock },
    });
    figures[name] = figuresOf(seen);
    if (!values.json) console.log(name, figures[name]);
  }
  const isKept = Object.entries(figures).every(([name, { p95Ms, requests, late }]) => {
    return p95Ms < P95_LIMIT_MS && late === 0 && (requests === 0 || !CLOSED.has(name));
  });
  console.log(JSON.stringify({ ...figures, isKept }));
  return isKept ? 0 : 1;
}

function figuresOf(seen: readonly Reloaded[]): Figures {
  const ms = seen.map(({ backOutMs }) => Math.round(backOutMs)).toSorted((a, b) => a - b);
  const at = (share: number): number => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? 0;
  const sum = (of: (one: Reloaded) => number): number => seen.reduce((total, one) => total + of(one), 0);
  return {
    reloads: seen.length,
    ...{ p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) },
    ...{ requests: sum(({ requests }) => requests), late: sum(({ late }) => late) },
  };
}
