import type { Behaviour } from '../../adapters/memory/behaviour.ts';
import type { HealthCheck } from '../../domain/health.ts';
import { releaseId } from '../../domain/ids.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Mishap, PlanSimulation, StepOdds } from '../../domain/plan-simulation.ts';
import type { RemoteTask } from '../../ports/hosts.ts';
import type { HttpSeen } from '../../ports/probe.ts';
import type { Draw } from '../draw.ts';
import type { CommandKind } from '../facts.ts';
import type { FaultKind, Strengths } from '../faults.ts';
import type { Found, Manner } from '../manner.ts';
import { exitOfBringing, fetchRelease, type ProgramParts, releaseOf, removeUploads } from '../programs.ts';
import { checkOf, devicesOf, healthOf, literal, stepsOf } from './place.ts';

/** Longer than any deadline. */
const NEVER_MS = 14 * 86_400_000;
const CHECK_MS = 50;
const SEEN_DOWN_MS = 20;
const LEAST_WARM_UP_MS = 50;
/** A step on a balancer asks it about so often. */
const CALLS = 3;

/** How the world of a plan behaves: commands, connections and services take as long as they did, and fail as often. */
export function plannedManner({ plan, odds }: PlanSimulation): Manner {
  const commands = commandsOf(plan);
  const check = checkOf(plan);
  const { passes, intervalMs } = healthOf(plan);
  const places = placesOf(plan);
  const shows = new Map(
    Object.values(plan.releases).map(({ version, reports = version }) => [version, reports]),
  );
  const verifiedMs = Math.max(0, passes - 1) * intervalMs;
  const times = (step: string): readonly number[] => odds.find((one) => one.step === step)?.sortedMs ?? [];
  const [drains, verifies, enables] = [times('drain'), times('verify'), times('enable')];
  return {
    behaviourOf: (parts, task) => behaviour({ commands, check, odds }, parts, task),
    deviceOf: devicesOf(plan),
    targetAt: (place) => places.get(place) ?? '',
    answerOf: (_target, found) =>
      answerTo(check, { ...found, version: shows.get(found.version) ?? found.version }),
    drainMs: (draw) => drawn(drains, draw),
    monitorMs: (draw, change) => seenUpAfterMs(change, drawn(enables, draw) / 2 + Math.min(verifiedMs, 500)),
    warmUpMs: (draw) => Math.max(LEAST_WARM_UP_MS, drawn(verifies, draw) - verifiedMs),
  };
}

/** What goes down is seen to be down before it can be well again; one that strikes late is never seen to be up. */
function seenUpAfterMs(change: { readonly isLate: boolean; readonly isWell: boolean }, ms: number): number {
  if (!change.isWell) return SEEN_DOWN_MS;
  return change.isLate ? NEVER_MS : ms;
}

/** How strong each fault of the world is, from the odds of the steps that it strikes. */
export function plannedStrengths({ odds }: PlanSimulation): Strengths {
  const shareOf = (mishap: Mishap, isFor: (step: StepOdds) => boolean = () => true): number => {
    const shares = odds.filter(isFor).flatMap(({ mishaps }) => mishaps[mishap]?.share ?? []);
    return Math.max(0, ...shares);
  };
  const isCommand = ({ mishaps }: StepOdds): boolean => mishaps.lost !== undefined;
  return {
    'host.refused': shareOf('unreachable', isCommand) / 2,
    'balancer.refused': shareOf('unreachable', (step) => !isCommand(step)) / CALLS,
    'service.sick': shareOf('unwell'),
    'connections.stay': shareOf('stays'),
    'balancer.monitor-late': shareOf('not-up'),
  };
}

type Commands = ReadonlyMap<string, Command>;

/** Commands of the plan by their arguments: what each is for is told by the name of its step. */
function commandsOf(plan: Plan): Commands {
  return new Map(
    stepsOf(plan).flatMap((step) => {
      const argv = literal(step, 'argv');
      return argv === undefined
        ? []
        : [[JSON.stringify(argv), { step: step.id, kind: kindOf(step.id) }] as const];
    }),
  );
}

function kindOf(step: string): CommandKind {
  if (/install/.test(step)) return 'install';
  if (step === 'reload') return 'reload';
  if (/start/.test(step)) return 'start';
  return /stop/.test(step) ? 'stop' : 'other';
}

/** URLs and `address:port` of health checks, by target. */
function placesOf({ targets }: Plan): ReadonlyMap<string, string> {
  return new Map(
    targets.flatMap(({ name, facts: { url, address, port } }) => [
      ...(typeof url === 'string' ? [[url, name] as const] : []),
      ...(typeof address === 'string' ? [[`${address}:${port}`, name] as const] : []),
    ]),
  );
}

const drawn = (sortedMs: readonly number[], draw: Draw): number =>
  sortedMs[Math.floor(draw.next() * sortedMs.length)] ?? 0;

/** What a check is answered that looks for a status, a text and a version. */
function answerTo(check: HealthCheck | undefined, { version, isWell }: Found): HttpSeen {
  if (check?.kind !== 'http') return { kind: 'answer', status: isWell ? 200 : 503, headers: {}, body: '' };
  const { status, version: source, body = '' } = check;
  const unwell = status === 503 ? 500 : 503;
  const inHeader = source && 'header' in source ? { [source.header.toLowerCase()]: version } : {};
  const json = source && 'jsonPath' in source ? jsonAt(source.jsonPath, version, body) : body;
  return { kind: 'answer', status: isWell ? status : unwell, headers: inHeader, body: json };
}

function jsonAt(path: string, version: string, text: string): string {
  const value = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), version);
  return text === '' ? JSON.stringify(value) : JSON.stringify({ ...Object(value), '': text });
}

type Known = {
  readonly commands: Commands;
  readonly check: HealthCheck | undefined;
  readonly odds: readonly StepOdds[];
};

function behaviour({ commands, check, odds }: Known, parts: ProgramParts, task: RemoteTask): Behaviour {
  const { target, draw, tell, host } = parts;
  const isCheck = check?.kind === 'command' && JSON.stringify(task.argv) === JSON.stringify(check.argv);
  if (isCheck) return checkRun(parts, task);
  const { step, kind } = commandIn(commands, task);
  const of = odds.find((one) => one.step === step);
  const strikes = (mishap: Mishap, fault: FaultKind): boolean => {
    const isStruck = !parts.faults.areOver && draw.chance(of?.mishaps[mishap]?.share ?? 0);
    if (isStruck) parts.faults.note(fault);
    return isStruck;
  };
  const code = strikes('fails', 'command.fails') ? 1 : exitOf(parts, kind, task);
  const isLost = strikes('lost', 'host.supervisor-killed');
  return {
    durationMs: strikes('hangs', 'command.slow') ? NEVER_MS : drawn(of?.sortedMs ?? [], draw),
    code,
    onStart: () => {
      tell({ kind: 'command.started', target, what: kind, task });
      if (isLost) queueMicrotask(() => host.killSupervisor(task.id));
    },
    onEnd: (how) => {
      if (how === 'exited' && code === 0) effect(parts, kind, task);
      tell({ kind: 'command.ended', target, what: kind, task, how, code });
    },
  };
}

type Command = { readonly step: string; readonly kind: CommandKind };

function commandIn(commands: Commands, { argv, env, script }: RemoteTask): Command {
  if (script) return { step: env.EDGE_STEP ?? '', kind: 'other' };
  if (argv[3] === 'edge-fetch') return { step: 'fetch', kind: 'fetch' };
  if (argv[3] === 'edge-install') return { step: 'install', kind: 'install' };
  return commands.get(JSON.stringify(argv)) ?? { step: '', kind: 'other' };
}

/** With what a command ends that nothing happens to. An install of Edge's own needs the release, or the files for it. */
function exitOf({ service, host }: ProgramParts, kind: CommandKind, { argv }: RemoteTask): number {
  if (kind === 'start') return service.current === null ? 127 : 0;
  if (argv[3] !== 'edge-install' && argv[3] !== 'edge-fetch') return 0;
  return exitOfBringing(argv, service, host);
}

/** A command that looks whether the service is well; it sees what runs, as a look over the network does. */
function checkRun({ target, service, tell }: ProgramParts, task: RemoteTask): Behaviour {
  const version = service.isWell ? (service.running?.replace(/-[0-9a-f]{8}$/, '') ?? null) : null;
  return {
    durationMs: CHECK_MS,
    code: version === null ? 1 : 0,
    onStart: () => tell({ kind: 'command.started', target, what: 'check', task }),
    onEnd: (how) => {
      tell({ kind: 'probe.answered', target, version });
      tell({ kind: 'command.ended', target, what: 'check', task, how, code: version === null ? 1 : 0 });
    },
  };
}

function effect({ service, host }: ProgramParts, kind: CommandKind, { argv, env }: RemoteTask): void {
  switch (kind) {
    case 'fetch':
      fetchRelease(argv, { service, host });
      return;
    case 'install': {
      const own = env.EDGE_RELEASE;
      service.install(own === undefined ? releaseOf(argv) : releaseId(own));
      if (own === undefined) removeUploads(argv, host);
      return;
    }
    case 'stop':
      service.stop('edge');
      return;
    case 'reload':
      service.reload();
      return;
    case 'start':
      // A start that finds an older release running replaces it, as those do that restart.
      if (service.running !== service.current) service.stop('edge');
      service.start('edge');
      return;
    case 'check':
    case 'change':
    case 'look':
    case 'other':
      return;
    default:
      kind satisfies never;
  }
}
