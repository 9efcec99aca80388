import { bindAction } from '../../src/actions/define.ts';
import { MemoryArtifacts } from '../../src/adapters/memory/artifacts.ts';
import type { Program } from '../../src/adapters/memory/behaviour.ts';
import { MemoryClock } from '../../src/adapters/memory/clock.ts';
import { MemoryHosts } from '../../src/adapters/memory/hosts.ts';
import { createMemoryProbe } from '../../src/adapters/memory/probe.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { deploymentId, taskId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import type { Action, ActionPorts, Cancelled, TaskRun } from '../../src/ports/action.ts';
import type { HostAddress } from '../../src/ports/hosts.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import type { MetricsSource } from '../../src/ports/metrics.ts';
import type { HttpSeen, TcpSeen } from '../../src/ports/probe.ts';
import type { TrafficStatistics } from '../../src/ports/traffic-statistics.ts';

import { ARTIFACT } from './planned-release.ts';

export const HOST: HostAddress = {
  name: 'web-1',
  address: '127.0.0.1',
  port: 22,
  user: 'deploy',
  identityFile: '/keys/deploy',
  hostKey: { fingerprint: `SHA256:${'A'.repeat(43)}` },
};

const KEY = { deployment: deploymentId('d1'), target: 0, step: 0, group: 0 };
const TIME_MS = 600_000;
const REFUSED = { kind: 'nothing', why: 'connection refused' } as const;

function unavailable(name: string): never {
  throw new EdgeError('secret_unavailable', `There is no ${name}`);
}

/** Kills the owner at a point of its work: an attempt ends there, and nothing that it does later counts. */
export type Crash = { readonly at: 'before-save' | 'after-save' | 'after-output'; readonly nth?: number };

type Options = {
  readonly program?: Program;
  readonly balancer?: LoadBalancer;
  /** Given the clock of the trial: sources by the address in their configuration. */
  readonly metrics?: (clock: MemoryClock) => Readonly<Record<string, MetricsSource>>;
  /** Given the clock of the trial: what balancers count, by their kind. */
  readonly statistics?: (clock: MemoryClock) => Readonly<Record<string, TrafficStatistics>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly remainingMs?: number;
};

/** One task and its world in memory: each `attempt` is an owner of its own that knows only the checkpoint. */
export class Trial {
  readonly clock = new MemoryClock();
  readonly hosts: MemoryHosts;
  /** What health looks see: by URL, and by `address:port`. Anything else refuses the connection. */
  readonly pages = new Map<string, () => HttpSeen>();
  readonly ports = new Map<string, TcpSeen>();
  readonly saved: Json[] = [];
  readonly progress: string[] = [];
  checkpoint: Json | null = null;
  output = '';
  readonly pieces: { readonly text: string; readonly reached: Json | undefined }[] = [];
  #group = 0;
  #attempts = 0;
  #owners = 0;
  /** To go on after a wait is the same attempt. */
  #waits = false;
  readonly #ports: ActionPorts;
  readonly #deadlineMs: number;

  constructor({ program, balancer, metrics, statistics, secrets = {}, remainingMs = TIME_MS }: Options = {}) {
    this.hosts = new MemoryHosts(this.clock, program ?? (() => ({ durationMs: 0, code: 0 })));
    this.#deadlineMs = remainingMs;
    const sources = metrics?.(this.clock) ?? {};
    const counted = statistics?.(this.clock) ?? {};
    this.#ports = {
      hosts: this.hosts,
      balancer: async () => {
        if (!balancer) throw new Error('this trial has no balancer');
        return balancer;
      },
      statistics: async ({ kind }) => {
        const counting = counted[kind];
        if (!counting) throw new Error(`no ${kind} of this trial counts anything`);
        return counting;
      },
      metrics: async (config) => {
        const place = config.kind === 'cloudwatch' ? config.region : config.url;
        const source = sources[place];
        if (!source) throw new Error(`this trial has no metrics at ${place}`);
        return source;
      },
      probe: createMemoryProbe({
        clock: this.clock,
        http: ({ url }) => this.pages.get(url)?.() ?? REFUSED,
        tcp: (address, port) => this.ports.get(`${address}:${port}`) ?? REFUSED,
      }),
      secrets: { resolve: async ({ name }) => secrets[name] ?? unavailable(name) },
      artifacts: new MemoryArtifacts(() => ({ sha256: ARTIFACT.sha256, sizeBytes: ARTIFACT.sizeBytes })),
      clock: this.clock,
    };
  }

  get host() {
    return this.hosts.host(HOST.name);
  }

  get task() {
    return taskId({ ...KEY, group: this.#group });
  }

  /** A person has the target tried again: the next attempts are of a task of their own. */
  retried(): void {
    this.#group += 1;
    this.checkpoint = null;
    this.#waits = false;
  }

  /** Does this when so much time has passed, in the middle of whatever is attempted then. */
  at(afterMs: number, act: () => void): void {
    void this.clock.sleep(afterMs, new AbortController().signal).then(act);
  }

  /** One owner's work, until it returns or dies. */
  attempt(
    action: Action,
    inputs: JsonObject,
    options: { crash?: Crash; signal?: AbortSignal } = {},
  ): Promise<Outcome> {
    this.#owners += 1;
    if (!this.#waits) this.#attempts += 1;
    this.#waits = false;
    const run = bindAction(action, this.#ports).apply(this.#run(inputs, options));
    return this.clock.until(run.then((outcome) => this.#keep(outcome)));
  }

  /** As `attempt`, again and again while it waits, with the time in between. */
  async finish(action: Action, inputs: JsonObject): Promise<Exclude<Outcome, { kind: 'wait' }>> {
    for (;;) {
      const outcome = await this.attempt(action, inputs);
      if (outcome.kind !== 'wait') return outcome;
      await this.clock.advance(outcome.wakeAfterMs);
    }
  }

  cancel(action: Action, inputs: JsonObject): Promise<Cancelled> {
    return this.clock.until(bindAction(action, this.#ports).cancel(this.#run(inputs, {})));
  }

  #keep(outcome: Outcome): Outcome {
    if (outcome.kind === 'wait') this.checkpoint = outcome.checkpoint;
    this.#waits = outcome.kind === 'wait';
    return outcome;
  }

  #run(inputs: JsonObject, { crash, signal }: { crash?: Crash; signal?: AbortSignal }): TaskRun {
    let saves = 0;
    let outputs = 0;
    let dead = false;
    const alive = (): void => {
      if (dead) throw new Error('this owner is dead');
    };
    const dies = (at: Crash['at']): void => {
      const count = at === 'after-output' ? outputs : saves;
      if (crash?.at !== at || count !== (crash.nth ?? 1)) return;
      dead = true;
      throw new Error(`the owner died ${at}`);
    };
    return {
      task: this.task,
      deployment: KEY.deployment,
      target: HOST.name,
      step: 'step',
      attempt: this.#attempts,
      epoch: this.#owners,
      group: this.#group,
      inputs,
      checkpoint: this.checkpoint,
      saveCheckpoint: async (checkpoint) => {
        alive();
        saves += 1;
        dies('before-save');
        this.checkpoint = checkpoint;
        this.saved.push(checkpoint);
        dies('after-save');
      },
      output: async (text, reached) => {
        alive();
        this.output += text;
        this.pieces.push({ text, reached });
        if (reached !== undefined) this.checkpoint = reached;
        outputs += 1;
        dies('after-output');
      },
      progress: (text) => this.progress.push(text),
      signal: signal ?? new AbortController().signal,
      lost: new AbortController().signal,
      requireLease: () => signal?.throwIfAborted(),
      remainingMs: () => this.#deadlineMs - this.clock.monotonicMs(),
    };
  }
}

/** The outcome as `kind`; anything else is shown. */
export function expectKind<K extends Outcome['kind']>(
  outcome: Outcome,
  kind: K,
): Extract<Outcome, { kind: K }> {
  if (isKind(outcome, kind)) return outcome;
  throw new Error(`expected ${kind}, got ${JSON.stringify(outcome)}`);
}

function isKind<K extends Outcome['kind']>(
  outcome: Outcome,
  kind: K,
): outcome is Extract<Outcome, { kind: K }> {
  return outcome.kind === kind;
}
