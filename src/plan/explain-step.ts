import { BALANCER } from '../domain/analysis.ts';
import type { Input, Plan, Step } from '../domain/plan.ts';
import { KEEP_ALL } from '../domain/release.ts';
import type { Json, JsonObject } from '../lib/json.ts';

/** A step for people. `command` is exactly what will run; its `env` may differ per target and is then a fact of each. */
export type ExplainedStep = {
  readonly id: string;
  readonly action: string;
  readonly does: string;
  readonly command?: ExplainedCommand;
  readonly timeoutMs: number;
  readonly retries: Step['retries'];
};

export type ExplainedCommand = {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly user: string | null;
  readonly env: JsonObject | 'per target';
  /** The script whose path is added to `argv`. Its bytes are in `scripts` of the plan. */
  readonly script?: ExplainedScript;
};

/** `parameters`: by name, what it is given: a value, `{ from, output }` or `{ perTarget: true }`. */
export type ExplainedScript = {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly parameters: JsonObject;
};

export function describeStep(step: Step, plan: Plan): ExplainedStep {
  const name = step.action.split('@')[0] ?? '';
  const does = (SENTENCES[name] ?? generic)(step, plan);
  const { id, action, timeoutMs, retries } = step;
  const command = commandOf(step, plan);
  return { id, action, does, ...(command && { command }), timeoutMs, retries };
}

type Sentence = (step: Step, plan: Plan) => string;

/** By action. An action that is not listed is shown with its inputs. */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  'capacity.guard': () => 'look at the pools, and wait until the floor allows it to go out of service',
  'balancer.drain': (step) =>
    `take it out of service; wait up to ${duration(literalOf(step, 'timeoutMs'))} for its connections to end, then ` +
    afterDrain(literalOf(step, 'then')),
  'host.run': (step, plan) => `run ${quoted(step, plan)}${ifUnknown(step)}`,
  'script.run': (step, plan) => `run ${scripted(step, plan)}${ifUnknown(step)}`,
  'release.fetch': (step, plan) =>
    `before its turn, put ${artifactNames(plan)} into ${releaseFolder(step)}${isAnew(step, plan) ? `, ${ANEW}` : ''}; what serves is left alone`,
  'release.install': (step, plan) => {
    const folder = releaseFolder(step);
    const again = isAnew(step, plan) ? [`put ${artifactNames(plan)} into ${folder} ${ANEW}`] : [];
    const put = step.inputs.fetched ? again : [`put ${artifactNames(plan)} into ${folder}`];
    const names = fileNames(plan);
    const made = names === '' ? [] : [`make ${names} ${put.length > 0 ? 'there' : `in ${folder}`}`];
    const there = [...put, ...made].length > 0 ? 'there' : `to ${folder}`;
    return [...put, ...made, `point current ${there}`, kept(step)].join(', ');
  },
  'release.look': () =>
    'compare current, the property files and the files of its artifacts with what Edge put there; nothing is changed',
  'health.verify': (step) =>
    `check ${checked(step)} every ${duration(literalOf(step, 'intervalMs'))} until ${text(literalOf(step, 'passes'))} passes ` +
    `in a row${step.inputs.release ? ' with the version of the release' : ''}, for up to ${duration(literalOf(step, 'windowMs'))}`,
  'balancer.enable': () => 'return it to service exactly as found, and wait until it is up',
  'canary.judge': (step) =>
    `compare ${comparedIn(step)} by ${metricsIn(step)}, looking after each ${duration(fieldOf(step, 'analysis', 'stepMs'))} ` +
    `for up to ${duration(fieldOf(step, 'analysis', 'mostMs'))}`,
  'wait.settle': (step) => `wait ${duration(literalOf(step, 'ms'))}`,
};

const fieldOf = (step: Step, input: string, field: string): Json | undefined => {
  const value = literalOf(step, input);
  return isObject(value) ? value[field] : undefined;
};

const listIn = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

function metricsIn(step: Step): string {
  return listIn(fieldOf(step, 'analysis', 'metrics'))
    .map(
      ({ name, source }) =>
        `${text(name)} (${source === BALANCER ? 'of requests, as the balancer counts them' : text(source)})`,
    )
    .join(', ');
}

function comparedIn(step: Step): string {
  const nameOf = (side: Json | undefined): string => (isObject(side) ? text(side.name) : '');
  return listIn(literalOf(step, 'pairs'))
    .map(({ canary, baseline }) => `${nameOf(canary)} with ${nameOf(baseline)}`)
    .join(', ');
}

const afterDrain = (then: Json | undefined): string =>
  then === 'force' ? 'force it offline' : then === 'continue' ? 'go on with those that are left' : 'fail';

function ifUnknown(step: Step): string {
  const wanted = literalOf(step, 'ifUnknown');
  if (wanted === undefined) return '';
  if (!isObject(wanted)) return '; if nobody sees its end, again';
  return `; if nobody sees its end, check with ${JSON.stringify(wanted.check)} whether it is done`;
}

const generic: Sentence = ({ action, inputs }) => `${action} ${JSON.stringify(inputs)}`;

const ANEW = 'anew if a file of it is not as it was put there (whatever else is in that folder goes then)';
const isAnew = ({ inputs }: Step, { force }: Plan): boolean => force === true && inputs.anew !== undefined;

const releaseFolder = (step: Step): string => `${text(literalOf(step, 'folder'))}/releases/<release>`;

function artifactNames({ releases, release }: Plan): string {
  const artifacts = release === null ? [] : (releases[release]?.artifacts ?? []);
  return artifacts.length === 0 ? 'the release' : artifacts.map(({ name }) => name).join(', ');
}

function kept(step: Step): string {
  const keep = literalOf(step, 'keep');
  return keep === KEEP_ALL ? 'remove no release' : `keep ${text(keep)} releases`;
}

function fileNames({ releases, release }: Plan): string {
  const { files = [] } = (release === null ? undefined : releases[release]?.properties) ?? {};
  return files.map(({ path }) => path).join(', ');
}

function checked(step: Step): string {
  const check = literalOf(step, 'check');
  if (!isObject(check)) return 'its health';
  if (check.kind === 'http') return `HTTP ${text(check.path ?? '/')} for status ${text(check.status ?? 200)}`;
  if (check.kind === 'balancer') return 'that its balancer sees it up';
  return check.kind === 'tcp' ? 'that its port is open' : `that ${JSON.stringify(check.argv)} exits with 0`;
}

function commandOf(step: Step, plan: Plan): ExplainedCommand | undefined {
  const script = scriptOf(step, plan);
  const argv = script?.argv ?? literalOf(step, 'argv');
  if (!Array.isArray(argv)) return undefined;
  const env = literalOf(step, 'env');
  const user = literalOf(step, 'sudoUser');
  return {
    argv: argv.map(text),
    cwd: text(literalOf(step, 'cwd') ?? ''),
    user: user === undefined ? null : text(user),
    env: isObject(env) ? env : 'per target',
    ...(script && { script: script.explained }),
  };
}

function quoted(step: Step, plan: Plan): string {
  const command = commandOf(step, plan);
  if (!command) return 'a command';
  const user = command.user === null ? '' : ` as ${command.user}`;
  return `${JSON.stringify(command.argv)} in ${command.cwd}${user}`;
}

function scripted(step: Step, plan: Plan): string {
  const { name = '', sha256 = '', bytes = 0 } = scriptOf(step, plan)?.explained ?? {};
  return `the script ${name} (${bytes} bytes, SHA-256 ${sha256}) by ${quoted(step, plan)}`;
}

type ScriptSeen = { readonly argv: Json; readonly explained: ExplainedScript };

function scriptOf({ inputs }: Step, { scripts }: Plan): ScriptSeen | undefined {
  const { script, content, parameters } = inputs;
  if (!script || !content || !('value' in script) || !('script' in content)) return undefined;
  if (!isObject(script.value)) return undefined;
  const given = parameters && 'fields' in parameters ? Object.entries(parameters.fields) : [];
  const explained = {
    name: text(script.value.name),
    sha256: content.script,
    bytes: Buffer.byteLength(scripts?.[content.script] ?? ''),
    parameters: Object.fromEntries(given.map(([name, input]) => [name, shown(input)])),
  };
  return { argv: script.value.interpreter ?? [], explained };
}

function shown(input: Input): Json {
  if ('value' in input) return input.value;
  return 'from' in input ? { from: input.from, output: input.output } : { perTarget: true };
}

function literalOf(step: Step, name: string): Json | undefined {
  const input: Input | undefined = step.inputs[name];
  return input && 'value' in input ? input.value : undefined;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: Json | undefined) => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** Milliseconds as people say them: `500 ms`, `90 s`, `5 min`, `24 h`. */
export function duration(ms: Json | undefined): string {
  if (typeof ms !== 'number') return '?';
  if (ms >= 7_200_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms >= 120_000 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms >= 1_000 && ms % 100 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}
