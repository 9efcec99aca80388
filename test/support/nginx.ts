import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NginxConfig } from '../../src/adapters/nginx/load-balancer.ts';
import { freePort } from './free-port.ts';
import type { Sshd } from './sshd.ts';
import { until } from './until.ts';

/** A real nginx on a host of a fleet. */
export type Nginx = {
  readonly url: string;
  /** The file with the upstreams. */
  readonly file: string;
  /** How Edge is told of it: the parts of its configuration that have to do with files. */
  readonly config: Pick<NginxConfig, 'file' | 'pidFile' | 'test' | 'reload'>;
  readonly read: () => Promise<string>;
  /** As a person edits it: the file is replaced, and nothing is loaded. */
  readonly edit: (text: string) => Promise<void>;
  /** As a person reloads it: resolves when the workers of before take nothing any more. */
  readonly reload: () => Promise<void>;
  readonly workers: () => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
};

export type NginxSettings = {
  /** The program, from `requireService('nginx')`. */
  readonly path: string;
  /** The text of the file with the upstreams; requests go to the upstream `web`. */
  readonly upstreams: string;
  /** Whom it runs as, and to whom its files belong. */
  readonly account: { readonly uid: number; readonly gid: number };
};

/** It hides nothing: no second server for a failed request. A client is hung up on after each answer, so that no reload cuts it. */
export async function startNginx(host: Sshd, settings: NginxSettings): Promise<Nginx> {
  const { uid, gid } = settings.account;
  const folder = join(host.home, 'nginx');
  const port = await freePort(host.address);
  const places = { file: join(folder, 'conf.d', 'web.conf'), pidFile: join(folder, 'nginx.pid') };
  const main = join(folder, 'nginx.conf');
  const own = async (path: string) => chown(path, uid, gid);
  const put = async (path: string, text: string) => {
    await writeFile(path, text);
    await own(path);
  };
  for (const path of [folder, join(folder, 'conf.d')]) {
    await mkdir(path);
    await chmod(path, 0o755);
    await own(path);
  }
  await put(places.file, settings.upstreams);
  await put(main, mainConfig(folder, `${host.address}:${port}`));
  const command = [settings.path, '-p', folder, '-e', join(folder, 'error.log'), '-c', main];
  const [program = '', ...words] = command;
  const child = spawn(program, [...words, '-g', 'daemon off;'], {
    ...{ uid, gid },
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (data) => {
    log += String(data);
  });
  const url = `http://${host.address}:${port}`;
  await until('nginx answers', async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${log}`);
    return fetch(url).then(
      () => true,
      () => false,
    );
  });
  const workers = async (): Promise<readonly string[]> => workersOf(child);
  return {
    url,
    file: places.file,
    config: { ...places, test: [...command, '-t'], reload: [...command, '-s', 'reload'] },
    read: () => readFile(places.file, 'utf8'),
    edit: async (text) => {
      await put(`${places.file}.by-hand`, text);
      await rename(`${places.file}.by-hand`, places.file);
    },
    reload: async () => {
      const before = await workers();
      child.kill('SIGHUP');
      await until('the workers are others', async () => {
        const now = await workers();
        return now.length > 0 && before.every((pid) => !now.includes(pid));
      });
    },
    workers,
    stop: () => end(child),
  };
}

function mainConfig(folder: string, listen: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${folder}/${name};`,
  );
  return `pid ${folder}/nginx.pid;
worker_processes 2;
events { worker_connections 512; }
http {
  access_log off;
  keepalive_timeout 0;
${temporary.join('\n')}
  include ${folder}/conf.d/*.conf;
  server {
    listen ${listen};
    location / {
      proxy_pass http://web;
      proxy_next_upstream off;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

/** Pids of the workers that take connections. */
async function workersOf({ pid }: ChildProcess): Promise<readonly string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = children.split(' ').filter(Boolean);
  const titles = await Promise.all(
    pids.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => /^nginx: worker process(?! is)/.test(titles[index] ?? ''));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  // TERM: the master ends its workers at once, and none is left behind.
  child.kill('SIGTERM');
  await ended;
}
