import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './observer.ts';
import { until } from './until.ts';

export type HaproxyServer = { readonly name: string; readonly address: string; readonly port: number };

export type HaproxySettings = {
  /** The program, from `requireService('haproxy')`. */
  readonly path: string;
  /** Servers by backend; each backend gets a frontend. */
  readonly backends: Readonly<Record<string, readonly HaproxyServer[]>>;
  /** How often a server's `/health` is looked at. */
  readonly checkMs?: number;
  /** So many failed looks in a row make a server count as down. */
  readonly fall?: number;
  /** A cookie of this name binds a client to its server. */
  readonly cookie?: string | undefined;
  /** Default: `http`. */
  readonly mode?: 'http' | 'tcp';
  /** What it does with requests that fail. Default: nothing. */
  readonly retries?: readonly string[];
  /** Whether a reload keeps what was set at run time, as with a state file. Default: it forgets it. */
  readonly keepsState?: boolean;
  /** What it has to be before it is handed over: `serving` needs a server that is well in each backend. */
  readonly until?: 'listening' | 'serving';
};

export type Haproxy = {
  /** The runtime socket: a path, level admin. */
  readonly socket: string;
  /** The runtime socket over TCP, level admin. */
  readonly tcpSocket: string;
  /** The runtime socket over TCP, level operator. */
  readonly operatorSocket: string;
  url(backend: string): string;
  /** As `systemctl reload` does: new processes with the same configuration take over; resolves when they answer. */
  reload(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Starts a real HAProxy that hides nothing: no retries, no second server for a failed request, keep-alive on both sides,
 * an HTTP check per server that turns after one look (or `fall`), and is patient with a machine under load.
 */
export async function startHaproxy(settings: HaproxySettings): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-haproxy-'));
  const names = Object.keys(settings.backends);
  const [admin = 0, operator = 0, ...fronts] = await freePorts(2 + names.length);
  const socket = join(folder, 'admin.sock');
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configOf(settings, { folder, socket, admin, operator, fronts }));
  const running = new Set<ChildProcess>();
  let newest = start(settings.path, ['-f', file], running);
  await until('HAProxy listens', async () => {
    if (newest.child.exitCode !== null) throw new Error(`HAProxy ended: ${newest.log()}`);
    const answers = await Promise.all(fronts.map(statusOf));
    return answers.every((status) => (settings.until === 'listening' ? status > 0 : status === 200));
  });
  return {
    socket,
    tcpSocket: `127.0.0.1:${admin}`,
    operatorSocket: `127.0.0.1:${operator}`,
    url: (backend) => `http://127.0.0.1:${fronts[names.indexOf(backend)]}`,
    reload: async () => {
      if (settings.keepsState) writeFileSync(stateFile(folder), await ask(socket, 'show servers state'));
      newest = start(settings.path, ['-f', file, '-x', socket, '-sf', String(newest.child.pid)], running);
      await until('the new HAProxy answers', async () => {
        if (newest.child.exitCode !== null) throw new Error(`HAProxy ended: ${newest.log()}`);
        const info = await ask(socket, 'show info').catch(() => '');
        return info.includes(`\nPid: ${newest.child.pid}\n`);
      });
    },
    stop: async () => {
      await Promise.all([...running].map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const stateFile = (folder: string): string => join(folder, 'servers.state');

/** One process in the foreground, and what it wrote. */
function start(path: string, words: readonly string[], running: Set<ChildProcess>) {
  const child = spawn(path, ['-db', ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data) => {
    log += String(data);
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return { child, log: () => log };
}

type Ports = {
  readonly folder: string;
  readonly socket: string;
  readonly admin: number;
  readonly operator: number;
  readonly fronts: readonly number[];
};

const RETRIES = ['retries 0', 'no option redispatch'];

function configOf(
  { mode = 'http', retries = RETRIES, ...settings }: HaproxySettings,
  { folder, socket, admin, operator, fronts }: Ports,
): string {
  const { backends, checkMs = 100, fall = 1, cookie, keepsState = false } = settings;
  const parts = Object.entries(backends).map(
    ([name, servers], index) => `
frontend ${name}-front
  bind 127.0.0.1:${fronts[index]}
  default_backend ${name}
backend ${name}
  balance roundrobin
  option httpchk GET /health
  http-check expect status 200
${cookie === undefined ? '' : `  cookie ${cookie} insert indirect nocache`}
${servers.map((server) => `  server ${server.name} ${server.address}:${server.port} check inter ${checkMs}ms rise 1 fall ${fall}${cookie === undefined ? '' : ` cookie ${server.name}`}`).join('\n')}`,
  );
  return `global
  stats socket ${socket} mode 600 level admin expose-fd listeners
  stats socket 127.0.0.1:${admin} level admin
  stats socket 127.0.0.1:${operator} level operator
${keepsState ? `  server-state-file ${stateFile(folder)}` : ''}
defaults
  mode ${mode}
${keepsState ? '  load-server-state-from-file global' : ''}
  ${retries.join('\n  ')}
  timeout connect 2s
  timeout check 5s
  timeout client 65s
  timeout server 65s
  timeout queue 5s
  timeout http-keep-alive 65s
${parts.join('\n')}
`;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** 0: nothing answers. */
async function statusOf(port: number): Promise<number> {
  return fetch(`http://127.0.0.1:${port}/health`).then(
    (answer) => answer.status,
    () => 0,
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
