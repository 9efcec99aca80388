import { randomUUID } from 'node:crypto';
import { EdgeError } from '../../domain/errors.ts';
import { remoteTaskId } from '../../domain/ids.ts';
import type { HostAddress, Hosts, RemoteTask } from '../../ports/hosts.ts';
import type { MayWrite } from '../../ports/load-balancer.ts';
import { type Commands, type Edit, lookScript, type Place, writeScript } from './host-script.ts';
import { type Look, parseLook } from './look.ts';

export type NginxHostOptions = Place &
  Commands & {
    readonly hosts: Pick<Hosts, 'run' | 'forget'>;
    readonly host: HostAddress;
    readonly runAs?: string;
  };

/** A file of upstreams is far smaller; what is over it is refused, not cut. */
const REPLY_LIMIT_BYTES = 8 * 1024 * 1024;
/** Longer than a script waits for its lock and for nginx together. */
const ANSWER_MS = 45_000;

/** Rejects with `balancer_unreachable` or `balancer_refused`; the latter also where the file is not loaded or too long. */
export async function look(options: NginxHostOptions, signal: AbortSignal): Promise<Look> {
  const id = newId();
  const reply = await run(options, { id, script: lookScript(id, options), signal });
  const seen = parseLook(reply, id);
  if (!seen) throw refusalOf(options, reply, id);
  if (seen.workers.current === 0)
    throw refused(
      options,
      'no worker of nginx can be seen',
      'Let the login see the processes of nginx (/proc may be mounted with hidepid), or set `runAs`.',
    );
  if (seen.isPending)
    throw refused(
      options,
      `${options.file} was changed and nginx has not loaded it since: what it does is not what the file says`,
      'Look at the change, then run `nginx -t` and `nginx -s reload` on that host.',
    );
  return seen;
}

/** `changed`: the file is not the one of the edit any more, and nothing was done. */
export async function write(
  options: NginxHostOptions,
  edit: Edit,
  { signal, mayWrite }: Pick<Call, 'signal' | 'mayWrite'>,
): Promise<'done' | 'changed'> {
  const id = newId();
  const reply = await run(options, { id, script: writeScript(id, options, edit), signal, mayWrite });
  const [last] = lastSaid(reply, id);
  if (last === 'done' || last === 'changed') return last;
  throw refusalOf(options, reply, id);
}

type Call = {
  readonly id: string;
  readonly script: string;
  readonly signal: AbortSignal;
  /** Asked just before the script is sent for the first time. */
  readonly mayWrite?: MayWrite | undefined;
};

/**
 * A detached task of its own, so that a write that has begun runs to its end whatever becomes of the connection; resolves with
 * all it wrote, as latin1. A late start is harmless: the digest in a write fences it.
 */
async function run(options: NginxHostOptions, { id, script, signal, mayWrite }: Call): Promise<string> {
  const { hosts, host, runAs } = options;
  const task: RemoteTask = {
    id: remoteTaskId(id),
    argv: ['sh', '-c', script],
    env: {},
    ...(runAs !== undefined && { sudoUser: runAs }),
    secrets: [],
    outputLimitBytes: REPLY_LIMIT_BYTES,
  };
  const late = AbortSignal.timeout(ANSWER_MS);
  const chunks: Uint8Array[] = [];
  try {
    signal.throwIfAborted();
    const status = await hosts.run(host, task, {
      fromOffset: 0,
      onDispatch: async () => mayWrite?.(),
      onOutput: async ({ data }) => void chunks.push(data),
      signal: AbortSignal.any([signal, late]),
    });
    if (status.kind === 'refused')
      throw refused(options, status.why, 'Free the disk that holds the home folder of the login.');
    if (status.kind !== 'exited') throw unreachable(options, `what ran there was cut off (${status.kind})`);
    if (status.droppedBytes > 0)
      throw refused(options, `${options.file} is larger than ${REPLY_LIMIT_BYTES} bytes`, 'Split the file.');
    // What is left there does no harm, and is cleared away after a month.
    await hosts.forget(host, [task]).catch(() => undefined);
    return Buffer.concat(chunks).toString('latin1');
  } catch (thrown) {
    signal.throwIfAborted();
    if (late.aborted)
      throw new EdgeError('balancer_unreachable', `no answer within ${ANSWER_MS / 1_000} s`, {
        cause: thrown,
      });
    throw asBalancerError(thrown);
  }
}

/** A balancer that is reached through a host: what is wrong with the host is wrong with the balancer. */
function asBalancerError(thrown: unknown): unknown {
  if (!(thrown instanceof EdgeError) || !thrown.code.startsWith('host_')) return thrown;
  const { code, message, body } = thrown;
  const to = code === 'host_unreachable' ? 'balancer_unreachable' : 'balancer_refused';
  return new EdgeError(to, message, { hint: body.hint, cause: thrown });
}

/** What a script said at its end, word by word; empty if it said nothing. */
function lastSaid(reply: string, id: string): readonly string[] {
  const [, ...parts] = reply.split(`\n@${id} `);
  return parts.at(-1)?.trim().split(' ') ?? [];
}

function refusalOf(options: NginxHostOptions, reply: string, id: string): EdgeError {
  const [word, ...text] = lastSaid(reply, id);
  if (word === 'unreachable') return unreachable(options, text.join(' '));
  const hint = 'On that host `nginx -t` and the error log of nginx say more.';
  if (word === 'refused') return refused(options, text.join(' '), hint);
  const rest = reply.trim().slice(-500);
  return refused(options, `the host did not do what was asked: ${rest || 'it said nothing'}`, hint);
}

const unreachable = ({ host }: NginxHostOptions, why: string): EdgeError =>
  new EdgeError('balancer_unreachable', `nginx on ${host.name}: ${why}`);

const refused = ({ host }: NginxHostOptions, why: string, hint: string): EdgeError =>
  new EdgeError('balancer_refused', `nginx on ${host.name}: ${why}`, { hint });

/** 32 hex digits: no other task of this host has it, or ever will. */
const newId = (): string => randomUUID().replaceAll('-', '');
