// The runner must not say "passed" where node:test alone would: each test plants files and reads what it prints.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';

const head = "import { describe, test } from 'node:test';";

interface Ran {
  readonly code: number | null;
  readonly text: string;
  readonly lastLine: string | undefined;
}

function runTests(files: Readonly<Record<string, string>>, args: readonly string[] = [], require = ''): Ran {
  const root = mkdtempSync(join(tmpdir(), 'edge-test-runner-'));
  try {
    for (const [path, body] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), `${head}\n${body}\n`);
    }
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawnSync(process.execPath, [join(projectRoot, 'scripts/test.ts'), ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { ...env, EDGE_TEST_REQUIRE: require },
      timeout: 25_000,
    });
    return {
      code: child.status,
      text: child.stdout + child.stderr,
      lastLine: child.stdout.trim().split('\n').at(-1),
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const passing = "test('passes', () => {});";

test('passing files are counted and end with 0', () => {
  const ran = runTests({
    'src/lib/a.test.ts': passing,
    'test/e2e/b.test.ts': `describe('group', () => { ${passing} ${passing} });`,
  });
  assert.equal(ran.lastLine, '3 passed, 0 failed');
  assert.equal(ran.code, 0);
  assert.match(ran.text, /ok {4}src\/lib: 1 passed/);
  assert.match(ran.text, /ok {4}test\/e2e\/b\.test\.ts: 2 passed/);
});

test('a failure is shown whole, with the names around it', () => {
  const ran = runTests({
    'src/a.test.ts': "describe('group', () => { test('breaks', () => { throw new Error('the cause'); }); });",
  });
  assert.match(ran.text, /FAIL {2}src\/a\.test\.ts > group > breaks\n\s+Error: the cause\n\s+at /);
  assert.equal(ran.lastLine, '0 passed, 1 failed');
  assert.equal(ran.code, 1);
});

for (const file of ['src/a.test.ts', 'test/crash/a.test.ts']) {
  test(`an error after the end of its test fails the run (${file})`, () => {
    const late = "test('ends', () => { setTimeout(() => { throw new Error('too late'); }, 10); });";
    const wait = "test('waits', () => new Promise((done) => { setTimeout(done, 100); }));";
    const ran = runTests({ [file]: `${late} ${wait}` });
    assert.match(ran.text, /too late/);
    assert.equal(ran.lastLine, '2 passed, 1 failed');
    assert.equal(ran.code, 1);
  });

  test(`a file that cannot be loaded fails the run (${file})`, () => {
    const ran = runTests({ [file]: "import './missing.ts';" });
    assert.match(ran.text, /Cannot find module/);
    assert.equal(ran.lastLine, '0 passed, 1 failed');
  });

  test(`a file without a test fails the run (${file})`, () => {
    const ran = runTests({ [file]: '', 'src/b.test.ts': passing });
    assert.match(ran.text, new RegExp(`FAIL {2}${file}\\n\\s+this file declares no test`));
    assert.equal(ran.lastLine, '1 passed, 1 failed');
  });
}

test('something left open fails the run instead of holding it', () => {
  const ran = runTests({ 'src/a.test.ts': "test('leaks', () => { setInterval(() => {}, 1000); });" });
  assert.match(ran.text, /left something open: .*Timeout/);
  assert.equal(ran.lastLine, '1 passed, 1 failed');
});

test('a test that ends the process fails the run', () => {
  const ran = runTests({ 'src/a.test.ts': "test('exits', () => { process.exit(0); });" });
  assert.equal(ran.lastLine, '0 passed, 1 failed');
  assert.equal(ran.code, 1);
});

test('skipped tests are named with their reason, and fail where everything is required', () => {
  const files = { 'src/a.test.ts': `${passing} test('needs sshd', { skip: 'no sshd here' }, () => {});` };
  const ran = runTests(files);
  assert.match(ran.text, /skip {2}src\/a\.test\.ts > needs sshd: no sshd here/);
  assert.equal(ran.lastLine, '1 passed, 0 failed, 1 skipped');
  assert.equal(ran.code, 0);
  const strict = runTests(files, [], 'all');
  assert.match(strict.text, /FAIL {2}src\/a\.test\.ts > needs sshd: no sshd here/);
  assert.equal(strict.lastLine, '1 passed, 1 failed');
  assert.equal(strict.code, 1);
});

test('arguments choose files and folders', () => {
  const files = {
    'src/lib/a.test.ts': passing,
    'src/library/b.test.ts': passing,
    'src/plan/c.test.ts': passing,
  };
  assert.equal(runTests(files, ['src/lib']).lastLine, '1 passed, 0 failed');
  assert.equal(runTests(files, ['src/lib/', './src/plan/c.test.ts']).lastLine, '2 passed, 0 failed');
  assert.notEqual(runTests(files, ['src/none']).code, 0);
});

test('no test at all is a failure', () => {
  const ran = runTests({});
  assert.equal(ran.lastLine, '0 passed, 0 failed');
  assert.equal(ran.code, 1);
});

test('each file that cannot be loaded counts, beside other failures of its folder', () => {
  const ran = runTests({
    'src/lib/a.test.ts': "test('breaks', () => { throw new Error('no'); });",
    'src/lib/b.test.ts': "import './missing.ts';",
    'src/lib/c.test.ts': "import './missing.ts';",
  });
  assert.equal(ran.lastLine, '0 passed, 3 failed');
});
