import type { Command } from 'commander';
import { type Choose, collect, newCommand, only, wholeNumber } from '../command.ts';
import type { Cli } from '../context.ts';

/** The commands that are Edge itself: they run until they are told to end. */

const STORE = [
  '--store <address>',
  'keep the state in a database: mysql://user@host:3306/edge; else EDGE_STORE, else the data folder',
] as const;

const SPACE = [
  '--artifact-space <GB>',
  'how much room artifacts may take in the data folder; 20 if it is left out',
  wholeNumber,
] as const;
const ORIGIN = [
  '--artifact-origin <url>',
  'artifacts come from this address alone, such as https://nexus.example.com; may be given several times',
  collect,
] as const;
const PLUGIN = [
  '--plugin <module>',
  'a file or package that adds kinds of work; may be given several times, as EDGE_PLUGINS with commas between',
  collect,
] as const;
type OwnOptions = { plugin?: readonly string[]; artifactSpace?: number; artifactOrigin?: readonly string[] };
const OWN_OPTIONS = ['artifactSpace', 'artifactOrigin', 'plugin'] as const;

export function addServer(program: Command, choose: Choose): void {
  newCommand(
    program,
    'server',
    'Serves the API and drives deployments; works on their tasks too, unless workers do.',
  )
    .option('--listen <host:port>', 'where it listens')
    .option(...STORE)
    .option('--no-worker', 'leave the work to `edge worker` processes')
    .option('--tls-cert <file>', 'its certificate as PEM: it then speaks HTTPS; with --tls-key')
    .option('--tls-key <file>', 'the private key of the certificate as PEM')
    .option(...SPACE)
    .option(...ORIGIN)
    .option(...PLUGIN)
    .action((options: ServerOptions) => {
      const { worker: works } = options;
      const own = only(options, 'listen', 'store', 'tlsCert', 'tlsKey', ...OWN_OPTIONS);
      choose((cli) => cli.environment.serve({ ...folderOf(cli), ...own, works }));
    });
}

type ServerOptions = OwnOptions & {
  listen?: string;
  store?: string;
  worker: boolean;
  tlsCert?: string;
  tlsKey?: string;
};

export function addWorker(program: Command, choose: Choose): void {
  newCommand(
    program,
    'worker',
    'Works on the tasks of one pool: for the server that --server names, or for the data folder on this machine.',
  )
    .option('--pool <pool>', 'whose tasks it works on', 'default')
    .option('--name <name>', 'its name on this host, where several run')
    .option('--parallel <count>', 'how many tasks at once', wholeNumber)
    .option(...STORE)
    .option(...SPACE)
    .option(...ORIGIN)
    .option(...PLUGIN)
    .action((options: OwnOptions & { pool: string; name?: string; parallel?: number; store?: string }) => {
      const own = only(options, 'pool', 'name', 'parallel', 'store', ...OWN_OPTIONS);
      choose((cli) => {
        const server = cli.options.server ?? cli.environment.settings.server;
        const token = cli.options.token ?? cli.environment.settings.token;
        const access = { ...(server !== undefined && { server }), ...(token !== undefined && { token }) };
        return cli.environment.work({ ...folderOf(cli), ...access, ...own });
      });
    });
}

export function addDemo(program: Command, choose: Choose): void {
  newCommand(
    program,
    'demo',
    'Shows a lab of hosts behind a balancer under load: a release that rolls over it, and a bad one that is rolled back.',
  )
    .option('--once', 'end after that; 0 only if all went as it should')
    .action(({ once = false }: { once?: boolean }) => {
      choose((cli) => cli.environment.demo({ once, json: cli.json }));
    });
}

function folderOf(cli: Cli): { readonly dataFolder?: string } {
  const dataFolder = cli.options.data ?? cli.environment.settings.dataFolder;
  return dataFolder === undefined ? {} : { dataFolder };
}
