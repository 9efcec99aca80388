import { readFile } from 'node:fs/promises';
import type { Behaviour } from '../../src/adapters/memory/behaviour.ts';
import { MemoryHosts } from '../../src/adapters/memory/hosts.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RemoteTask } from '../../src/ports/hosts.ts';
import { sha256 } from '../contracts/hosts/bench.ts';
import type { Doing, Step } from '../contracts/hosts/doing.ts';
import type { HostsWorld } from '../contracts/hosts/world.ts';
import { hastyClock } from './hasty-clock.ts';
import { HOST } from './trial.ts';

/** A host in memory, for the contract of `Hosts`. */
export async function openMemoryHostsWorld(): Promise<HostsWorld> {
  const clock = hastyClock();
  const doings = new Map<string, Doing>();
  const lines = new Map<string, number>();
  const act = (task: RemoteTask, step: Step): void => {
    if (step.kind === 'kill supervisor') host.killSupervisor(task.id);
    if (step.kind === 'count') lines.set(step.path, (lines.get(step.path) ?? 0) + 1);
  };
  const hosts = new MemoryHosts(
    clock,
    (task) => {
      const doing = doings.get(task.argv[1] ?? '') ?? { steps: [] };
      return behaviourOf(doing, { task, clock, act: (step) => act(task, step) });
    },
    { digestOf: async (path) => sha256(await readFile(path)) },
  );
  const host = hosts.host(HOST.name);
  return {
    address: HOST,
    clock,
    newHosts: () => hosts,
    cut: () => host.cut(),
    close: async () => {},
    hands: {
      argvOf: (doing) => {
        const key = String(doings.size);
        doings.set(key, doing);
        return ['do', key];
      },
      scriptOf: (doing) => {
        const key = String(doings.size);
        doings.set(key, doing);
        return { argv: ['do', key], content: key };
      },
      linesOf: async (path) => lines.get(path) ?? 0,
      isAlive: async (id) => host.running().includes(id),
      filesIn: async (folder) =>
        [...host.files.values()]
          .filter(({ path }) => path.startsWith(`${folder}/`))
          .map(({ path, sha256, mode }) => ({ path: path.slice(folder.length + 1), sha256, mode })),
      remove: async () => {},
    },
  };
}

type Stage = {
  readonly task: RemoteTask;
  readonly clock: Clock;
  /** Does what a step does to the world, besides taking time and printing. */
  readonly act: (step: Step) => void;
};

/** A command that does this, as a behaviour: what is printed when, and for how long. */
function behaviourOf({ steps, end = 0, onTerm }: Doing, stage: Stage): Behaviour {
  const timed = timesOf(steps);
  const life = new AbortController();
  const endMs = timed.at(-1)?.endMs ?? 0;
  return {
    durationMs: end === 'endless' ? Infinity : endMs,
    code: end === 'endless' ? 0 : end,
    output: timed.map(({ step, atMs }) => ({ atMs, text: textOf(step, stage.task) })),
    outputs: steps.map((step) => (step.kind === 'give' ? step.text : '')).join(''),
    ignoresTerm: onTerm === 'ignore',
    ...(typeof onTerm === 'object' && { trapsTerm: onTerm }),
    onStart: () => {
      for (const { step, atMs } of timed) {
        const due = stage.clock.sleep(atMs, life.signal);
        void due.then(
          () => stage.act(step),
          () => undefined,
        );
      }
    },
    onEnd: (how) => how === 'killed' && life.abort(),
  };
}

type Timed = { readonly step: Step; readonly atMs: number; readonly endMs: number };

function timesOf(steps: readonly Step[]): readonly Timed[] {
  let nowMs = 0;
  return steps.map((step) => {
    const atMs = nowMs;
    nowMs += step.kind === 'wait' ? step.ms : 0;
    return { step, atMs, endMs: nowMs };
  });
}

function textOf(step: Step, { id, env }: RemoteTask): string {
  switch (step.kind) {
    case 'print':
      return step.text;
    case 'repeat':
      return step.character.repeat(step.times);
    case 'encode':
      return `${Buffer.from(`${env[step.variable] ?? ''}\n`).toString('base64')}\n`;
    case 'name itself':
      return `${id}\n`;
    case 'give':
    case 'count':
    case 'wait':
    case 'kill supervisor':
      return '';
    default:
      return step satisfies never;
  }
}
