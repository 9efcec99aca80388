import { EdgeError } from '../../domain/errors.ts';
import type { Health } from '../../domain/health.ts';
import type { Input, Step } from '../../domain/plan.ts';
import type { TargetConfig } from '../../domain/project-environment.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Platform, SequenceName } from '../../plan/sequences.ts';
import type { Settings } from '../../plan/settings.ts';

/**
 * The steps of a datacenter deployment, `guard → drain → stop → install → start → verify → enable → settle`, and what each
 * sequence has of them (DESIGN.md section 5). The actions that do them are those of this folder and of src/actions.
 */
const STEPS: Readonly<Record<SequenceName, readonly StepId[]>> = {
  rolling: ['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable', 'settle'],
  plain: ['stop', 'install', 'start', 'verify', 'settle'],
  // The guard costs nothing here; with it no unverified service gets traffic, and the return is waited for.
  cold: ['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable', 'settle'],
  others: ['stop', 'install', 'start'],
  'others-stopped': ['install'],
  hard: ['stop', 'install', 'start'],
  restart: ['guard', 'drain', 'stop', 'start', 'verify', 'enable', 'settle'],
  'restart-plain': ['stop', 'start', 'verify', 'settle'],
  'restart-cold': ['guard', 'drain', 'stop', 'start', 'verify', 'enable', 'settle'],
  'restart-hard': ['stop', 'start'],
};

type StepId = 'guard' | 'drain' | 'stop' | 'install' | 'start' | 'verify' | 'enable' | 'settle';

export const datacenter: Platform = {
  steps: (name, settings) =>
    STEPS[name]
      .filter((id) => id !== 'verify' || settings.health !== undefined)
      .filter((id) => id !== 'settle' || settings.strategy.settleMs > 0)
      .map((id) => ({ id, ...BUILD[id](settings, name) })),
  facts: factsOf,
};

type Built = Omit<Step, 'id'>;
const BUILD: Readonly<Record<StepId, (settings: Settings, sequence: SequenceName) => Built>> = {
  guard,
  drain,
  stop,
  install,
  start: (settings) => command(settings, settings.commands.start, settings.timeouts.startMs),
  verify,
  enable,
  settle,
};

/** An action may need this much longer than the wait that it is given, to look and to write. */
const SLACK_MS = 60_000;
const NO_RETRY = { max: 0, backoffMs: 0 } as const;

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
    timeoutMs: strategy.drain.timeoutMs + SLACK_MS,
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

function stop(settings: Settings, sequence: SequenceName): Built {
  const { commands, timeouts, folder } = settings;
  const isDefault = commands.stop.length === 1 && commands.stop[0] === 'current/bin/stop';
  if (!isDefault || !MAY_BE_FIRST.has(sequence)) return command(settings, commands.stop, timeouts.stopMs);
  // The folder may not be there yet, so the command begins above it.
  const [cwd, inside] = folder.startsWith('~/') ? ['~', folder.slice(2)] : ['/', folder];
  const built = command(settings, ['sh', '-c', STOP_IF_INSTALLED, 'stop', inside], timeouts.stopMs);
  return { ...built, inputs: { ...built.inputs, cwd: literal(cwd) } };
}

function command(settings: Settings, argv: readonly string[], timeoutMs: number): Built {
  return {
    action: 'host.run@1',
    inputs: { ...onHost(settings), argv: literal(argv), graceMs: literal(settings.timeouts.graceMs) },
    timeoutMs,
    // Retried only when the action says that it never started; what may have run is asked about.
    retries: { max: 2, backoffMs: 5_000 },
    onUnknown: 'ask',
    graceMs: settings.timeouts.graceMs,
  };
}

function onHost(settings: Settings): Readonly<Record<string, Input>> {
  return {
    host: { target: 'host' },
    cwd: literal(settings.folder),
    env: settings.envDiffers ? { target: 'env' } : literal(settings.env),
    ...asUser(settings),
  };
}

const asUser = ({ runAs }: Settings): Readonly<Record<string, Input>> =>
  runAs === undefined ? {} : { sudoUser: literal(runAs) };

function install(settings: Settings): Built {
  const { commands, timeouts, folder, keepReleases } = settings;
  if (commands.install) {
    const own = command(settings, commands.install, timeouts.installMs);
    return { ...own, inputs: { ...own.inputs, release: { release: true } } };
  }
  return {
    action: 'release.install@1',
    inputs: {
      host: { target: 'host' },
      folder: literal(folder),
      keep: literal(keepReleases),
      release: { release: true },
      ...asUser(settings),
    },
    timeoutMs: timeouts.installMs,
    retries: { max: 2, backoffMs: 5_000 },
    onUnknown: 'retry',
  };
}

/** Only where the project has a health check; `STEPS` leaves the step out elsewhere. */
function verify(settings: Settings, sequence: SequenceName): Built {
  const { health } = settings;
  if (!health) throw new EdgeError('internal', 'a verify step without a health check');
  const restarts = sequence.startsWith('restart');
  return {
    action: 'health.verify@1',
    inputs: {
      check: literal(health.check),
      ...where(health, settings),
      passes: literal(health.passes),
      intervalMs: literal(health.intervalMs),
      windowMs: literal(health.windowMs),
      ...(expectsVersion(health) && !restarts && { release: { release: true } }),
    },
    timeoutMs: health.windowMs + SLACK_MS,
    retries: NO_RETRY,
    onUnknown: 'retry',
  };
}

const expectsVersion = ({ check }: Health) => check.kind === 'http' && check.version !== undefined;

function where({ check }: Health, settings: Settings): Readonly<Record<string, Input>> {
  switch (check.kind) {
    case 'http':
      return { url: { target: 'url' } };
    case 'tcp':
      return { address: { target: 'address' }, port: { target: 'port' } };
    case 'command':
      return onHost(settings);
    default:
      return check satisfies never;
  }
}

function enable({ balancers, timeouts }: Settings): Built {
  return {
    action: 'balancer.enable@1',
    inputs: {
      members: { asFound: true },
      balancers: literal(balancers),
      waitUpMs: literal(timeouts.upMs),
    },
    timeoutMs: timeouts.upMs + SLACK_MS,
    hold: 'give',
    retries: { max: 5, backoffMs: 2_000 },
    onUnknown: 'retry',
  };
}

function settle({ strategy }: Settings): Built {
  return {
    action: 'wait.settle@1',
    inputs: { ms: literal(strategy.settleMs) },
    timeoutMs: strategy.settleMs + SLACK_MS,
    retries: { max: 2, backoffMs: 1_000 },
    onUnknown: 'retry',
  };
}

const literal = (value: Json | Settings['balancers'] | Health['check']): Input => ({ value: value as Json });

/** What differs per target: how to log in, its environment variables and where its health is asked. */
function factsOf(target: TargetConfig, settings: Settings): JsonObject {
  return {
    host: hostOf(target, settings),
    ...(settings.envDiffers && { env: { ...settings.env, ...target.env } }),
    ...healthFacts(target, settings),
  };
}

/** A `HostAddress` of src/ports/hosts.ts. */
function hostOf(target: TargetConfig, { ssh }: Settings): JsonObject {
  return {
    name: target.name,
    address: target.address,
    port: target.sshPort ?? ssh.port,
    user: ssh.user,
    identityFile: ssh.identityFile,
    hostKey: hostKeyOf(target, ssh.knownHosts),
  };
}

function hostKeyOf({ name, hostKey }: TargetConfig, knownHosts: string | undefined): JsonObject {
  if (hostKey !== undefined) return { fingerprint: hostKey };
  if (knownHosts !== undefined) return { knownHosts };
  throw new EdgeError('host_key_unknown', `The target ${name} has no known host key`, {
    hint: 'Give the target its `hostKey`, or the environment `ssh.knownHosts`.',
    where: { target: name },
  });
}

function healthFacts(target: TargetConfig, { health }: Settings): JsonObject {
  if (!health || health.check.kind === 'command') return {};
  const { check } = health;
  const port = target.port ?? check.port;
  if (check.kind === 'http') return { url: urlOf(target.address, port, check) };
  if (port !== undefined) return { address: target.address, port };
  throw new EdgeError('config_invalid', `The TCP check of the target ${target.name} has no port`, {
    hint: 'Give the target its `port`, or the health check one for all targets.',
    where: { target: target.name },
  });
}

function urlOf(address: string, port: number | undefined, check: { scheme: string; path: string }): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${check.scheme}://${host}${port === undefined ? '' : `:${port}`}${check.path}`;
}
