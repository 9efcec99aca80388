import { EdgeError } from '../../domain/errors.ts';
import type { FurtherStep } from '../../domain/further-step.ts';
import type { Health } from '../../domain/health.ts';
import type { Step } from '../../domain/plan.ts';
import { KEEP_ALL } from '../../domain/release.ts';
import type { CycleStep } from '../../domain/strategy.ts';
import type { Json } from '../../lib/json.ts';
import type { ExecOrder, SequenceName } from '../../plan/sequences.ts';
import type { Settings } from '../../plan/settings.ts';
import { whereOf } from './health-place.ts';
import { asUser, literal, onHost } from './inputs.ts';
import { listedSteps } from './listed-steps.ts';

export type StepId = CycleStep | 'fetch' | 'gate-close' | 'gate-open' | 'property-files' | 'reload';

/** A step without its name. */
export type Built = Omit<Step, 'id'>;
/** The steps of the cycle, the one before it, those of the gate, and those of property files. */
export const BUILD: Readonly<Record<StepId, (settings: Settings, sequence: SequenceName) => Built>> = {
  fetch,
  guard,
  drain,
  'gate-close': (settings) => gate(settings, 'close'),
  stop,
  install,
  start: (settings) =>
    withUnknown(
      command(settings, settings.commands.start, settings.timeouts.startMs),
      settings.onUnknown.start,
    ),
  verify,
  'gate-open': (settings) => gate(settings, 'open'),
  'property-files': propertyFiles,
  reload,
  enable,
  settle,
};

/** An action may need this much longer than the wait that it is given, to look and to write. */
export const SLACK_MS = 60_000;
/** Who goes on with a write to a balancer may have to wait out lease and quarantine of another before it does anything. */
const STEERING_SLACK_MS = 180_000;
export const NO_RETRY = { max: 0, backoffMs: 0 } as const;

function guard(settings: Settings): Built {
  return {
    action: 'capacity.guard@1',
    inputs: { members: { members: true }, balancers: literal(settings.balancers) },
    timeoutMs: SLACK_MS,
    hold: 'take',
    retries: { max: 5, backoffMs: 2_000 },
    onUnknown: 'retry',
  };
}

function drain({ strategy, balancers }: Settings): Built {
  return {
    action: 'balancer.drain@1',
    inputs: {
      members: { members: true },
      balancers: literal(balancers),
      timeoutMs: literal(strategy.drain.timeoutMs),
      // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file; nothing awaits a plan
      then: literal(strategy.drain.then),
    },
    timeoutMs: strategy.drain.timeoutMs + STEERING_SLACK_MS,
    hold: 'keep',
    retries: { max: 5, backoffMs: 2_000 },
    onUnknown: 'retry',
  };
}

/**
 * A first deployment finds no `current` to stop. What serves behind a balancer must have a way to be stopped, though: a
 * service that goes on unnoticed would pass for the new release.
 */
const MAY_BE_FIRST: ReadonlySet<SequenceName> = new Set(['cold', 'plain', 'hard']);
const STOP_IF_INSTALLED = 'if [ -e "$1/current" ]; then cd "$1" && exec current/bin/stop; fi';

const DEFAULT_STOP = 'current/bin/stop';

/** The command of the project in what Edge makes of it for a first deployment. */
export const configuredStop = (argv: readonly string[]): readonly string[] | undefined =>
  argv[0] === 'sh' && argv[1] === '-c' && argv[2] === STOP_IF_INSTALLED ? [DEFAULT_STOP] : undefined;

function stop(settings: Settings, sequence: SequenceName): Built {
  const { commands, timeouts, folder } = settings;
  const isDefault = commands.stop.length === 1 && commands.stop[0] === DEFAULT_STOP;
  const { stop: onUnknown } = settings.onUnknown;
  if (!isDefault || !MAY_BE_FIRST.has(sequence))
    return withUnknown(command(settings, commands.stop, timeouts.stopMs), onUnknown);
  // The folder may not be there yet, so the command begins above it.
  const [cwd, inside] = folder.startsWith('~/') ? ['~', folder.slice(2)] : ['/', folder];
  const built = command(settings, ['sh', '-c', STOP_IF_INSTALLED, 'stop', inside], timeouts.stopMs);
  return withUnknown({ ...built, inputs: { ...built.inputs, cwd: literal(cwd) } }, onUnknown);
}

/** A command of a person on a host: of the project it has neither folder nor variables. */
export function exec({ argv, cwd, sudoUser, timeoutMs }: ExecOrder): Built {
  return {
    action: 'host.run@1',
    inputs: {
      host: { target: 'host' },
      argv: literal(argv),
      ...(cwd !== undefined && { cwd: literal(cwd) }),
      ...(sudoUser !== undefined && { sudoUser: literal(sudoUser) }),
    },
    timeoutMs,
    // Only of what never started, such as where the host did not answer.
    retries: { max: 1, backoffMs: 1_000 },
    onUnknown: 'ask',
  };
}

/** A command of the project on its host. */
export function command(settings: Settings, argv: readonly string[], timeoutMs: number): Built {
  return {
    action: settings.hasFiles ? 'host.run@2' : 'host.run@1',
    inputs: {
      ...onHost(settings),
      argv: literal(argv),
      graceMs: literal(settings.timeouts.graceMs),
      // What it reads on the host it may print.
      ...(settings.hasFiles && { mask: { secrets: true } as const }),
    },
    timeoutMs,
    // Retried only when the action says that it never started; what may have run is asked about.
    retries: { max: 2, backoffMs: 5_000 },
    onUnknown: 'ask',
    graceMs: settings.timeouts.graceMs,
  };
}

/** Only where the project has a gate; the list leaves the steps out elsewhere. */
function gate(settings: Settings, to: 'close' | 'open'): Built {
  const { timeouts } = settings;
  if (!settings.gate) throw new EdgeError('internal', 'a gate step without a gate');
  return command(settings, settings.gate[to], to === 'close' ? timeouts.stopMs : timeouts.startMs);
}

/** Beside what the team installs by a command of its own: the files lie in a folder with releases of them alone. */
function propertyFiles(settings: Settings, sequence: SequenceName): Built {
  const { inputs, ...rest } = ownInstall(settings, sequence);
  const folder = literal(`${settings.folder}/${PROPERTIES}`);
  return { ...rest, inputs: { ...inputs, folder, filesOnly: literal(true) } };
}

/** Below the folder of a project that installs by a command of its own. */
const PROPERTIES = 'properties';

/** Plans that reload are refused without such a command; rollbacks of them have no such step. */
function reload(settings: Settings): Built {
  const { commands, timeouts, onUnknown } = settings;
  if (!commands.reload) throw new EdgeError('internal', 'a reload without a command for it');
  return withUnknown(command(settings, commands.reload, timeouts.startMs), onUnknown.reload);
}

type OnUnknown = FurtherStep['onUnknown'];

/** The action itself knows whether a command of which nobody saw the end may be run again, or how to look. */
export function withUnknown(built: Built, onUnknown: OnUnknown): Built {
  if (onUnknown === undefined || onUnknown === 'ask') return built;
  return { ...built, inputs: { ...built.inputs, ifUnknown: { value: onUnknown as Json } } };
}

function install(settings: Settings, sequence: SequenceName): Built {
  const { commands, timeouts } = settings;
  if (!commands.install) return ownInstall(settings, sequence);
  const own = command(settings, commands.install, timeouts.installMs);
  const built = { ...own, inputs: { ...own.inputs, release: { release: true } } } as const;
  return withUnknown(built, settings.onUnknown.install);
}

/** By Edge's own action. What runs was started from some earlier release, and may still read its folder: a reload removes none. */
function ownInstall(settings: Settings, sequence: SequenceName): Built {
  const keepReleases = sequence.startsWith('reload') ? KEEP_ALL : settings.keepReleases;
  const isFetched = hasFetch(sequence, settings);
  const built = ofRelease(settings, sequence, `release.install@${majorOfInstall(settings, sequence)}`);
  const fetched = { fetched: { from: 'fetch', output: 'folder' } } as const;
  const inputs = { ...built.inputs, keep: literal(keepReleases), ...(isFetched && fetched) };
  return { ...built, inputs };
}

/** Whether what is there whole may be replaced: only where the service is stopped by then, which may be running from it. */
function mayReplace({ installsAnew, strategy, commands }: Settings, sequence: SequenceName): boolean {
  const steps = listedSteps(sequence, strategy);
  const isStopped = steps.includes('stop') && steps.indexOf('stop') < steps.indexOf('install');
  return installsAnew && !commands.install && isStopped;
}

/** The first that knows all that the plan asks of it: workers of before do what they can. */
function majorOfInstall(settings: Settings, sequence: SequenceName): number {
  const { hasSources, hasFiles } = settings;
  if (mayReplace(settings, sequence)) return 5;
  if (hasSources) return 4;
  if (hasFetch(sequence, settings)) return 3;
  return hasFiles ? 2 : 1;
}

/** Whether the release is brought to the target before its turn: by Edge's own action, and where something is to be stopped for it. */
export const hasFetch = (sequence: SequenceName, { commands }: Settings): boolean =>
  !commands.install && FETCHING.has(sequence);

const FETCHING: ReadonlySet<SequenceName> = new Set(['rolling', 'plain', 'cold', 'others', 'hard']);

function fetch(settings: Settings, sequence: SequenceName): Built {
  return {
    ...ofRelease(settings, sequence, `release.fetch@${majorOfFetch(settings, sequence)}`),
    ahead: true,
  };
}

function majorOfFetch(settings: Settings, sequence: SequenceName): number {
  if (mayReplace(settings, sequence)) return 3;
  return settings.hasSources ? 2 : 1;
}

function ofRelease(settings: Settings, sequence: SequenceName, action: string): Built {
  return {
    action,
    inputs: {
      host: { target: 'host' },
      folder: literal(settings.folder),
      release: { release: true },
      ...(settings.hasFiles && { files: { files: true } as const }),
      ...(mayReplace(settings, sequence) && { anew: { force: true } as const }),
      ...asUser(settings),
    },
    timeoutMs: settings.timeouts.installMs,
    retries: { max: 2, backoffMs: 5_000 },
    onUnknown: 'retry',
  };
}

/** Only where the project has a health check; the list leaves the step out elsewhere. */
function verify(settings: Settings, sequence: SequenceName): Built {
  const { health } = settings;
  if (!health) throw new EdgeError('internal', 'a verify step without a health check');
  if (health.check.kind === 'balancer') assertSeenByBalancer(settings, sequence);
  const restarts = sequence.startsWith('restart');
  return {
    action: 'health.verify@1',
    inputs: {
      check: literal(health.check),
      ...whereOf(health.check, settings),
      passes: literal(health.passes),
      intervalMs: literal(health.intervalMs),
      windowMs: literal(health.windowMs),
      ...(expectsVersion(health) &&
        !restarts && { release: { release: settings.showsOther ? 'shown' : true } as const }),
    },
    timeoutMs: health.windowMs + SLACK_MS,
    retries: NO_RETRY,
    onUnknown: 'retry',
  };
}

/** Whether a balancer sees anything of the member at this step. A balancer of another kind beside it may; then a run tells. */
function assertSeenByBalancer(settings: Settings, sequence: SequenceName): void {
  if (settings.gate) throw unseenBehindGate(settings);
  const kinds = Object.values(settings.balancers).map(({ kind }) => kind);
  const isDrained = listedSteps(sequence, settings.strategy).includes('drain');
  const isBlind = (kind: string): boolean => kind === 'nginx' || (kind === 'f5' && isDrained);
  if (kinds.length > 0 && kinds.every(isBlind)) throw unseen(settings);
}

const unseen = ({ project, environment }: Settings): EdgeError =>
  new EdgeError('config_invalid', `No balancer of ${environment} can say whether ${project} is well`, {
    hint: 'An F5 looks at no member that is forced offline, as each is at the end of its drain, and nginx at none at all: choose a health check of another kind. On F5 a member has to be seen up when it is enabled in any case.',
  });

const unseenBehindGate = ({ project }: Settings): EdgeError =>
  new EdgeError(
    'config_invalid',
    `The project ${project} is verified by what its gate keeps from being seen`,
    {
      hint: 'While the gate is closed its balancer sees no target up: choose a health check of another kind.',
    },
  );

const expectsVersion = ({ check }: Health) => check.kind === 'http' && check.version !== undefined;

function enable({ balancers, timeouts }: Settings): Built {
  return {
    action: 'balancer.enable@1',
    inputs: {
      members: { asFound: true },
      balancers: literal(balancers),
      waitUpMs: literal(timeouts.upMs),
    },
    timeoutMs: timeouts.upMs + STEERING_SLACK_MS,
    hold: 'give',
    retries: { max: 5, backoffMs: 2_000 },
    onUnknown: 'retry',
  };
}

/** A wait that the strategy wants. */
export function settle({ strategy }: Settings): Built {
  return {
    action: 'wait.settle@1',
    inputs: { ms: literal(strategy.settleMs) },
    timeoutMs: strategy.settleMs + SLACK_MS,
    retries: { max: 2, backoffMs: 1_000 },
    onUnknown: 'retry',
  };
}
