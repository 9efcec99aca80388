// The runner must not say "passed" where node:test alone would: each test plants files and reads what it prints.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import { writeTree } from '../support/write-tree.ts';

const head = "import { describe, test } from 'node:test';";

interface Ran {
  readonly code: number | null;
  readonly text: string;
  readonly lastLine: string | undefined;
}

function withHead(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, body]) => [path, `${head}\n${body}\n`]));
}

function runTests(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  require = '',
): Promise<Ran> {
  return withTemporaryFolder(async (root) => {
    writeTree(root, withHead(files));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, [join(projectRoot, 'scripts/test.ts'), ...args], {
      cwd: root,
      env: { ...env, EDGE_TEST_REQUIRE: require },
      timeout: 25_000,
    });
    const closed = once(child, 'close');
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await closed;
    return { code, text: out + err, lastLine: out.trim().split('\n').at(-1) };
  });
}

const passing = "test('passes', () => {});";

describe('test runner', { concurrency: 4 }, () => {
  test('passing files are counted and end with 0', async () => {
    const ran = await runTests({
      'src/lib/a.test.ts': passing,
      'test/e2e/b.test.ts': `describe('group', () => { ${passing} ${passing} });`,
    });
    assert.equal(ran.lastLine, '3 passed, 0 failed');
    assert.equal(ran.code, 0);
    assert.match(ran.text, /ok {4}src\/lib: 1 passed/);
    assert.match(ran.text, /ok {4}test\/e2e\/b\.test\.ts: 2 passed/);
  });

  test('a failure is shown whole, with the names around it', async () => {
    const ran = await runTests({
      'src/a.test.ts':
        "describe('group', () => { test('breaks', () => { throw new Error('the cause'); }); });",
    });
    assert.match(ran.text, /FAIL {2}src\/a\.test\.ts > group > breaks\n\s+Error: the cause\n\s+at /);
    assert.equal(ran.lastLine, '0 passed, 1 failed');
    assert.equal(ran.code, 1);
  });

  for (const file of ['src/a.test.ts', 'test/crash/a.test.ts']) {
    test(`an error after the end of its test fails the run (${file})`, async () => {
      const late = "test('ends', () => { setTimeout(() => { throw new Error('too late'); }, 10); });";
      const wait = "test('waits', () => new Promise((done) => { setTimeout(done, 100); }));";
      const ran = await runTests({ [file]: `${late} ${wait}` });
      assert.match(ran.text, /too late/);
      assert.equal(ran.lastLine, '2 passed, 1 failed');
      assert.equal(ran.code, 1);
    });

    test(`a file that cannot be loaded fails the run (${file})`, async () => {
      const ran = await runTests({ [file]: "import './missing.ts';" });
      assert.match(ran.text, /Cannot find module/);
      assert.equal(ran.lastLine, '0 passed, 1 failed');
    });

    test(`a file without a test fails the run (${file})`, async () => {
      const ran = await runTests({ [file]: '', 'src/b.test.ts': passing });
      assert.match(ran.text, new RegExp(`FAIL {2}${file}\\n\\s+this file declares no test`));
      assert.equal(ran.lastLine, '1 passed, 1 failed');
    });
  }

  test('something left open fails the run instead of holding it', async () => {
    const ran = await runTests({ 'src/a.test.ts': "test('leaks', () => { setInterval(() => {}, 1000); });" });
    assert.match(ran.text, /left something open: .*Timeout/);
    assert.equal(ran.lastLine, '1 passed, 1 failed');
  });

  test('a test that ends the process fails the run', async () => {
    const ran = await runTests({ 'src/a.test.ts': "test('exits', () => { process.exit(0); });" });
    assert.equal(ran.lastLine, '0 passed, 1 failed');
    assert.equal(ran.code, 1);
  });

  test('skipped tests are named with their reason, and fail where everything is required', async () => {
    const files = { 'src/a.test.ts': `${passing} test('needs sshd', { skip: 'no sshd here' }, () => {});` };
    const ran = await runTests(files);
    assert.match(ran.text, /skip {2}src\/a\.test\.ts > needs sshd: no sshd here/);
    assert.equal(ran.lastLine, '1 passed, 0 failed, 1 skipped');
    assert.equal(ran.code, 0);
    const strict = await runTests(files, [], 'all');
    assert.match(strict.text, /FAIL {2}src\/a\.test\.ts > needs sshd: no sshd here/);
    assert.equal(strict.lastLine, '1 passed, 1 failed');
    assert.equal(strict.code, 1);
  });

  test('arguments choose files and folders', async () => {
    const files = {
      'src/lib/a.test.ts': passing,
      'src/library/b.test.ts': passing,
      'src/plan/c.test.ts': passing,
    };
    assert.equal((await runTests(files, ['src/lib'])).lastLine, '1 passed, 0 failed');
    assert.equal(
      (await runTests(files, ['src/lib/', './src/plan/c.test.ts'])).lastLine,
      '2 passed, 0 failed',
    );
    assert.notEqual((await runTests(files, ['src/none'])).code, 0);
  });

  test('no test at all is a failure', async () => {
    const ran = await runTests({});
    assert.equal(ran.lastLine, '0 passed, 0 failed');
    assert.equal(ran.code, 1);
  });

  test('each file that cannot be loaded counts, beside other failures of its folder', async () => {
    const ran = await runTests({
      'src/lib/a.test.ts': "test('breaks', () => { throw new Error('no'); });",
      'src/lib/b.test.ts': "import './missing.ts';",
      'src/lib/c.test.ts': "import './missing.ts';",
    });
    assert.equal(ran.lastLine, '0 passed, 3 failed');
  });
});
