import { readFile } from 'node:fs/promises';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runCli } from './cli/cli.ts';
import type { CliEnvironment, CliSettings, ServerAccess } from './cli/environment.ts';
import { findServer } from './data-folder.ts';
import type { Place } from './roles.ts';

const VERSION = await versionOf();

/** Environment variables are read here, once; the options of the command line go before them. */
const settings: CliSettings = {
  ...(process.env.EDGE_SERVER && { server: process.env.EDGE_SERVER }),
  ...(process.env.EDGE_TOKEN && { token: process.env.EDGE_TOKEN }),
  ...(process.env.EDGE_DATA && { dataFolder: process.env.EDGE_DATA }),
  ...(process.env.EDGE_STORE && { store: process.env.EDGE_STORE }),
};

const environment: CliEnvironment = {
  version: VERSION,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  terminal: {
    redraws: process.stdout.isTTY === true && process.env.TERM !== 'dumb',
    answers: process.stdin.isTTY === true && process.stdout.isTTY === true,
    colours: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
    size: () => ({ columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 }),
  },
  folder: process.cwd(),
  settings,
  now: () => Date.now(),
  sleep: (ms, signal) => wait(ms, undefined, signal && { signal }).catch(() => undefined),
  onInterrupt: (listener) => {
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
  connect,
  serve: async (options) => (await roles()).serve(placeOf(options), options),
  work: async (options) => (await roles()).work(placeOf(options), options),
  demo: async (options) =>
    (await import('./demo.ts')).demo(environment, { ...options, variables: process.env }),
};

async function versionOf(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return String(JSON.parse(text).version);
}

/** Servers and workers need most of the code, and a command that asks a running server little of it. */
const roles = () => import('./roles.ts');

/** Finds the data folder's server, or is one for the time of a command. */
async function connect(options: { readonly dataFolder?: string }): Promise<ServerAccess> {
  const place = placeOf(options);
  const found = await findServer(place.dataFolder);
  if (!found) return (await roles()).embedded(place);
  const { url, token } = found;
  return { url, ...(token !== null && { token }), embedded: false, close: async () => {} };
}

function placeOf(options: { readonly dataFolder?: string; readonly store?: string }): Place {
  const { dataFolder = join(homedir(), '.edge-data'), store } = { ...settings, ...options };
  return { version: VERSION, variables: process.env, dataFolder, ...(store !== undefined && { store }) };
}

/** Whoever read the answer is gone (`edge logs … | head`): the command ends as any program that SIGPIPE ends. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), environment);
