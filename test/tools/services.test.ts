import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { requireService } from '../../scripts/services.ts';
import { freePort } from '../support/free-port.ts';

const haproxy = requireService('haproxy');

test('a service that is provided runs', { skip: haproxy.skip }, () => {
  assert.match(execFileSync(haproxy.path ?? '', ['-v'], { encoding: 'utf8' }), /HAProxy version/);
});

test('a service that nobody knows is refused with the names of those we know', () => {
  const script = join(projectRoot, 'scripts/services.ts');
  const result = spawnSync(process.execPath, [script, 'install', 'nosuchd'], { encoding: 'utf8' });
  assert.equal(result.status, 2);
  assert.match(result.stderr, /install <sshd\|/);
});

test('a free port can be listened on', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
