import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bytesOf, planned } from '../../../test/contracts/artifacts.ts';
import { artifactsIn } from '../../../test/support/artifacts.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { until } from '../../../test/support/until.ts';
import { archiveCommit } from './git-archive.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
const KEPT = { as: 'kept', signal: new AbortController().signal } as const;
const SETTINGS = ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com', '-c', 'init.defaultBranch=main'];

const opened = perTest(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-git-'));
  const work = join(folder, 'work');
  await mkdir(join(work, 'conf'), { recursive: true });
  const git = (...args: readonly string[]) =>
    execFileSync('git', [...SETTINGS, '-C', work, ...args], { encoding: 'utf8' }).trim();
  git('init', '-q');
  await writeFile(join(work, 'conf/web.conf'), 'a=1\n');
  await writeFile(join(work, 'start'), '#!/bin/sh\n', { mode: 0o755 });
  git('add', '.');
  git('commit', '-qm', 'first');
  const first = git('rev-parse', 'HEAD');
  await writeFile(join(work, 'conf/web.conf'), 'a=2\n');
  git('commit', '-qam', 'second');
  const second = git('rev-parse', 'HEAD');
  const repository = `file://${work}`;
  return {
    folder,
    work,
    git,
    first,
    second,
    repository,
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
});

const listed = (path: string, ...names: readonly string[]): string =>
  execFileSync('tar', ['-xzO', '-f', path, ...names], { encoding: 'utf8' });
const namesIn = (path: string): readonly string[] =>
  execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n');

describe('a commit as an artifact', { skip: hasGit ? false : 'there is no git' }, () => {
  test('has the files of that commit, the same bytes each time and in each store', async () => {
    const { folder, first, second, repository } = await opened();
    const artifacts = artifactsIn(join(folder, 'a'));
    const one = await planned(artifacts, { git: { repository, commit: first }, unpack: 'tar.gz' });
    const two = await planned(artifacts, { git: { repository, commit: second }, unpack: 'tar.gz' });
    assert.notEqual(one.sha256, two.sha256);
    const texts = [one, two].map((artifact) =>
      artifacts.hold(artifact, KEPT, async ({ localPath }) => listed(localPath, 'conf/web.conf')),
    );
    assert.deepEqual(await Promise.all(texts), ['a=1\n', 'a=2\n']);
    const elsewhere = artifactsIn(join(folder, 'b'));
    assert.ok((await elsewhere.hold(one, KEPT, bytesOf)).length > 0, 'it is made anew, with the same digest');
    await elsewhere.look(two, KEPT.signal);
  });

  test('may be one folder of it', async () => {
    const { folder, first, repository } = await opened();
    const artifacts = artifactsIn(join(folder, 'a'));
    const artifact = await planned(artifacts, { git: { repository, commit: first, folder: 'conf' } });
    const names = await artifacts.hold(artifact, KEPT, async ({ localPath }) => namesIn(localPath));
    assert.deepEqual(
      names.filter((name) => !name.startsWith('pax_global')),
      ['conf/', 'conf/web.conf'],
    );
    const none = planned(artifacts, { git: { repository, commit: first, folder: 'nothing' } });
    await assert.rejects(none, { code: 'artifact_unreadable', message: /nothing/ });
  });

  test('that nobody has, and a repository that is not there, are told', async () => {
    const { folder, repository } = await opened();
    const artifacts = artifactsIn(join(folder, 'a'));
    const unknown = planned(artifacts, { git: { repository, commit: 'a'.repeat(40) } });
    await assert.rejects(unknown, { code: 'artifact_unreadable' });
    const nowhere = planned(artifacts, {
      git: { repository: `file://${folder}/none`, commit: 'a'.repeat(40) },
    });
    await assert.rejects(nowhere, {
      code: 'artifact_unreadable',
      message: /does not appear to be a git repository|none/,
    });
  });

  test('shows its credentials to the repository, and in no message', async () => {
    const { folder } = await opened();
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const artifacts = artifactsIn(join(folder, 'a'), {
      environment: { PATH: process.env.PATH, GIT: 'ann:s3cret' },
    });
    const git = { repository: `http://127.0.0.1:${port}/shop`, commit: 'a'.repeat(40) };
    const asked = planned(artifacts, { git, credentials: { source: 'env', name: 'GIT' } });
    await assert.rejects(asked, (error: Error & { code: string }) => {
      assert.equal(error.code, 'artifact_unreadable');
      return !`${error.message} ${error.cause}`.includes('s3cret');
    });
    assert.deepEqual(seen[0], `Basic ${Buffer.from('ann:s3cret').toString('base64')}`);
    server.close();
  });

  test('comes from no address but those that are allowed', async () => {
    const { folder, first, repository } = await opened();
    const origins = ['https://git.example.com', 'ssh://git.example.com:2222'];
    const held = artifactsIn(join(folder, 'a'), { origins });
    for (const [address, said] of [
      [repository, /file:\/\/ is none of the addresses/],
      ['ssh://git@127.0.0.1:1/shop', /ssh:\/\/127\.0\.0\.1:1 is none/],
      ['http://git.example.com/shop', /http:\/\/git\.example\.com is none/],
    ] as const) {
      const asked = planned(held, { git: { repository: address, commit: first } });
      await assert.rejects(asked, { code: 'artifact_unreadable', message: said });
    }
    const open = artifactsIn(join(folder, 'b'), { origins: [...origins, 'file://'] });
    await planned(open, { git: { repository, commit: first } });
  });

  test('that does not come in time, or that nobody waits for, is read on by nobody', async () => {
    const { folder } = await opened();
    const connected = new Set<Socket>();
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    server.on('connection', (socket) => {
      connected.add(socket.once('close', () => connected.delete(socket)));
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const commit = { repository: `http://127.0.0.1:${port}/shop`, commit: 'a'.repeat(40) };
    const archive = (signal: AbortSignal, more = {}) =>
      archiveCommit(commit, {
        ...{ workFolder: join(folder, 'bare'), to: join(folder, 'a.tar.gz'), environment: process.env },
        ...{ signal, ...more },
      });
    const late = archive(KEPT.signal, { limitMs: 300 });
    await assert.rejects(late, { code: 'artifact_unreachable', message: /timed out/ });
    await until('nobody is connected', () => connected.size === 0);

    const end = new AbortController();
    const left = archive(end.signal);
    left.catch(() => {});
    await until('git is connected', () => connected.size > 0);
    end.abort(new Error('nobody waits'));
    await assert.rejects(left, /nobody waits/);
    await until('nobody is connected', () => connected.size === 0);
    assert.equal(existsSync(join(folder, 'bare')), false);
    server.close();
  });

  test('leaves nothing of the repository behind', async () => {
    const { folder, first, repository } = await opened();
    const artifacts = artifactsIn(join(folder, 'a'));
    await planned(artifacts, { git: { repository, commit: first } });
    const left = execFileSync('find', [join(folder, 'a/owners'), '-type', 'f'], { encoding: 'utf8' });
    assert.equal(left, '');
    assert.equal(await readFile(join(folder, 'work/start'), 'utf8'), '#!/bin/sh\n');
  });
});
