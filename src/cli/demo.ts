import { type EdgeClient, edgeClient } from '../api/client.ts';
import type { DeploymentRow } from '../api/contract.ts';
import { runCli } from './cli.ts';
import type { CliEnvironment, DemoOptions, ServerAccess } from './environment.ts';

/** The estate that the demo plays on, as the lab hands it over. */
export type DemoStage = {
  readonly configurationFile: string;
  readonly releases: readonly { readonly version: string; readonly path: string; readonly sha256: string }[];
  /** Where the clients of the application knock. */
  readonly url: string;
  readonly hosts: number;
  /** Offers 200 requests/s from now on. */
  startLoad(): { report(): Requests; stop(): Promise<Requests> };
  /** The version that each host answers with, past the balancer. */
  servedVersions(): Promise<readonly string[]>;
  /** Ids of host commands that started more than once, by the hosts' own count. */
  startedMoreThanOnce(): Promise<number>;
};

/** `errors`: answers of the release that fails some requests on purpose; they are no failed requests. */
export type Requests = { readonly total: number; readonly failed: number; readonly errors: number };

const INTERRUPTED = 130;
const PROJECT = 'shop';
const ENVIRONMENT = 'lab';

/**
 * The main job before your eyes: v1 is there, v2 goes out in batches under load, a bad v3 is stopped at its first batch by
 * the health check and rolled back by itself, and so is a v4 that is healthy and fails requests, by the judge of its canary. It uses
 * the same commands as everybody. Resolves with the exit status.
 */
export async function playDemo(
  stage: DemoStage,
  server: ServerAccess,
  { environment, options }: { readonly environment: CliEnvironment; readonly options: DemoOptions },
): Promise<number> {
  const demo = new Demo(stage, server, environment, options);
  const result = await demo.play();
  if (result === null) return INTERRUPTED;
  if (options.json) environment.stdout.write(`${JSON.stringify(result.summary)}\n`);
  else demo.tell(result);
  return result.asPromised ? 0 : 1;
}

type Result = {
  readonly summary: {
    readonly deployments: readonly Summary[];
    readonly requests: Requests;
    readonly commands: { readonly planned: number; readonly startedMoreThanOnce: number };
  };
  readonly served: readonly string[];
  readonly asPromised: boolean;
};

type Summary = Pick<DeploymentRow, 'id' | 'version' | 'verb' | 'status' | 'causedBy'> & {
  readonly durationMs: number;
};

class Demo {
  readonly #stage: DemoStage;
  readonly #server: ServerAccess;
  readonly #environment: CliEnvironment;
  readonly #options: DemoOptions;
  readonly #client: EdgeClient;

  constructor(stage: DemoStage, server: ServerAccess, environment: CliEnvironment, options: DemoOptions) {
    this.#stage = stage;
    this.#server = server;
    this.#environment = environment;
    this.#options = options;
    this.#client = edgeClient({
      server: server.url,
      ...(server.token !== undefined && { token: server.token }),
    });
  }

  /** `null` when somebody interrupts it. */
  async play(): Promise<Result | null> {
    const { hosts, url, configurationFile, releases } = this.#stage;
    this.#say(
      `A lab of ${hosts} SSH hosts in this process, behind a balancer that carries real requests at ${url}.`,
    );
    this.#say(
      'The hosts run real commands as real processes; the balancer is a double that is driven like an F5.\n',
    );
    await this.#edge('apply', '-f', configurationFile);
    for (const release of releases) await this.#release(release);
    this.#say('\nv1 first: nothing serves yet.');
    await this.#edge('deploy', PROJECT, ENVIRONMENT, 'v1', '--yes');
    this.#say(
      '\nFrom now on 200 requests/s; each failed one is counted, none is tried again. v2, in batches:',
    );
    const load = this.#stage.startLoad();
    const isOver = (await this.#goodAndBad()) !== INTERRUPTED;
    const requests = await load.stop();
    return isOver ? this.#result(requests) : null;
  }

  async #goodAndBad(): Promise<number> {
    const good = await this.#edge('deploy', PROJECT, ENVIRONMENT, 'v2', '--yes');
    if (good === INTERRUPTED) return good;
    this.#say('\nv3 is broken: its health page answers 500.');
    const ill = await this.#edge('deploy', PROJECT, ENVIRONMENT, 'v3', '--yes');
    if (ill === INTERRUPTED) return ill;
    this.#say(
      '\nv4 is healthy, and answers 5 % of its requests with an error. Its canary is judged by them:',
    );
    return this.#edge('deploy', PROJECT, ENVIRONMENT, 'v4', '--yes');
  }

  tell({ summary: { requests, commands }, served, asPromised }: Result): void {
    this.#say(
      `\n${requests.total} requests, ${requests.failed} failed; v4 itself answered ${requests.errors} with an error. Every host serves ${[...new Set(served)].join(', ')}.`,
    );
    this.#say(
      `${commands.planned} commands were planned on the hosts; ${commands.startedMoreThanOnce} started more than once.`,
    );
    if (!asPromised) this.#say('This is not what the demo promises: please report it.');
  }

  async #edge(...words: readonly string[]): Promise<number> {
    const { json } = this.#options;
    if (json) return runCli([...words, '--json'], this.#quiet());
    this.#say(`$ edge ${words.join(' ')}`);
    return runCli(words, this.#here());
  }

  async #release({ version, path, sha256 }: DemoStage['releases'][number]): Promise<void> {
    const artifacts = [{ name: 'app.tar.gz', path, sha256, unpack: 'tar.gz' as const }];
    const { release } = await this.#client.createRelease({
      kind: 'release',
      project: PROJECT,
      version,
      artifacts,
    });
    this.#say(`release ${release}`);
  }

  async #result(requests: Requests): Promise<Result> {
    const { deployments } = await this.#client.deployments({ limit: 10 });
    const inOrder = deployments.toReversed();
    const served = await this.#stage.servedVersions();
    const startedMoreThanOnce = await this.#stage.startedMoreThanOnce();
    const planned = (await Promise.all(inOrder.map(({ id }) => this.#plannedCommands(id)))).reduce(
      (sum, one) => sum + one,
      0,
    );
    const { total, failed, errors } = requests;
    const summary = {
      deployments: inOrder.map(summaryOf),
      requests: { total, failed, errors },
      commands: { planned, startedMoreThanOnce },
    };
    return { summary, served, asPromised: isAsPromised(summary, served) };
  }

  /** Steps that run commands on a host, times the targets that take them. */
  async #plannedCommands(deployment: string): Promise<number> {
    const { plan } = await this.#client.deploymentPlan({ deployment });
    const batches = plan.stages.flatMap((stage) => stage.lanes).flatMap((lane) => lane.batches);
    return batches.reduce((sum, { sequence, targets }) => {
      const onHosts = (plan.sequences[sequence] ?? []).filter(({ action }) => ON_HOSTS.test(action));
      return sum + onHosts.length * targets.length;
    }, 0);
  }

  /** The demo's commands speak to the demo's server, which goes on when they end. */
  #here(): CliEnvironment {
    const { server, dataFolder, token, ...settings } = this.#environment.settings;
    const connect = async () => ({ ...this.#server, close: async () => {} });
    return { ...this.#environment, settings, connect };
  }

  #quiet(): CliEnvironment {
    return { ...this.#here(), stdout: { write: () => true } };
  }

  #say(text: string): void {
    if (!this.#options.json) this.#environment.stdout.write(`${text}\n`);
  }
}

const ON_HOSTS = /^(host\.run|release\.fetch|release\.install)@/;

function summaryOf(row: DeploymentRow): Summary {
  const { id, version, verb, status, causedBy } = row;
  return { id, version, verb, status, causedBy, durationMs: (row.endedAt ?? row.createdAt) - row.createdAt };
}

const STORY = [
  ...['deploy v1 succeeded', 'deploy v2 succeeded', 'deploy v3 failed', 'rollback v2 succeeded'],
  ...['deploy v4 failed', 'rollback v2 succeeded'],
].join(', ');

function isAsPromised(
  { deployments, requests, commands }: Result['summary'],
  served: readonly string[],
): boolean {
  const story = deployments.map(({ version, verb, status }) => `${verb} ${version} ${status}`).join(', ');
  return (
    story === STORY &&
    served.every((version) => version === 'v2') &&
    requests.total > 0 &&
    requests.failed === 0 &&
    commands.startedMoreThanOnce === 0
  );
}
