import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli, stuckAt } from '../../../test/support/edge-cli.ts';
import { until } from '../../../test/support/until.ts';
import { EdgeError } from '../../domain/errors.ts';
import { workerId } from '../../domain/ids.ts';

async function deployed(edge: EdgeApi): Promise<string> {
  await edge.configure(4);
  const id = await edge.deploy('2.0.0');
  await edge.work();
  return id;
}

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('edge status', () => {
  test(
    'without anything it says how to begin',
    withEdgeApi(async (edge) => {
      assert.match((await edgeCli(edge).run('status')).stdout, /^Nothing is configured yet\. `edge init`/);
      assert.equal((await edgeCli(edge).run('history')).stdout, 'There is no deployment yet.\n');
    }),
  );

  test(
    'it shows what runs where, and what was last',
    withEdgeApi(async (edge) => {
      const id = await deployed(edge);
      const { stdout } = await edgeCli(edge).run('status', 'web', 'production');
      assert.match(stdout, /^web → production {3}4 targets\n {2}runs {6}2\.0\.0 on 4\n/);
      assert.match(stdout, new RegExp(`  last      ${id} deploy 2\\.0\\.0 ✓ succeeded, 4 of 4, `));
      const json = JSON.parse((await edgeCli(edge).run('status', '--json')).stdout);
      assert.equal(json.projectEnvironments[0].last.id, id);
    }),
  );

  test(
    'of one deployment it shows every target, and why it waits',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const id = await edge.deploy('2.0.0');
      await edge.work(stuckAt('web-2'));
      const { status, stdout } = await edgeCli(edge).run('status', id);
      assert.equal(status, 0);
      assert.match(stdout, /‖ paused/);
      assert.match(stdout, / ✓ web-1 +done$/m);
      assert.match(stdout, / [✗P] web-2 +failed at start .*bin\/start ended with 1/);
      assert.match(stdout, new RegExp(`go on: \`edge resume ${id}\``));
      assert.equal(JSON.parse((await edgeCli(edge).run('status', id, '--json')).stdout).deployment.id, id);
    }),
  );
});

describe('edge watch', () => {
  test(
    'of one that has ended it tells what happened, and how it ended',
    withEdgeApi(async (edge) => {
      const id = await deployed(edge);
      const { status, stdout } = await edgeCli(edge).run('watch', id);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^${id}: deploy 2\\.0\\.0, web → production\n.*created by first`));
    }),
  );

  test(
    'with --json every item is one line, from the first event to the last',
    withEdgeApi(async (edge) => {
      const id = await deployed(edge);
      const { stdout } = await edgeCli(edge).run('watch', id, '--json');
      const items = jsonLines(stdout).filter(({ kind }) => kind === 'event');
      assert.deepEqual(
        items.map(({ version }) => version),
        items.map((_, index) => index + 1),
      );
      assert.equal(items.at(-1).event.kind, 'deployment.ended');
    }),
  );

  test(
    'Ctrl-C only stops looking, for who watches the deployment of another',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const id = await edge.deploy('2.0.0');
      const run = edgeCli(edge).begin('watch', id);
      while (run.stdout() === '') await new Promise(setImmediate);
      run.interrupt();
      assert.equal(await run.status, 130);
      assert.match(run.stderr(), new RegExp(`^Left ${id}; the server goes on with it\\.$`, 'm'));
      await edge.work();
      assert.equal((await edge.admin.deployments({})).deployments[0]?.status, 'succeeded');
    }),
  );
});

describe('a watch that is disturbed', () => {
  test(
    'a server that goes away is waited for, and Ctrl-C still leaves',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const run = edgeCli(edge).begin('watch', await edge.deploy('2.0.0'));
      await until('it is followed', () => run.stdout().includes('created'));
      await edge.server.close();
      await until('it is said', () => run.stderr().includes('; trying again'));
      run.interrupt();
      assert.equal(await run.status, 130);
    }),
  );

  test(
    'what other people write does nothing to the terminal, and is exact with --json',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const reason = '\u001b[2Jboo\u202e\u009b1m';
      const place = { project: 'web', environment: 'production' };
      const { deployment } = await edge.admin.deploy({ ...place, version: '2.0.0', reason });
      await edge.admin.abort({ deployment, reason });
      await edge.work();
      for (const command of [['watch', deployment], ['status'], ['status', deployment], ['history']]) {
        const { stdout } = await edgeCli(edge).run(...command);
        assert.match(stdout, /boo|aborted/);
        assert.ok(
          ['\u001b', '\u202e', '\u009b'].every((char) => !stdout.includes(char)),
          command.join(' '),
        );
        const json = (await edgeCli(edge).run(...command, '--json')).stdout;
        assert.match(json, /^[\n -~\u00a0-\u2000\u2190-\uffff]*$/);
      }
      const { deployment: row } = JSON.parse(
        (await edgeCli(edge).run('status', deployment, '--json')).stdout,
      );
      assert.equal(row.reason, reason);
    }),
  );
});

describe('edge history and logs', () => {
  test(
    'history is the newest first, and no more than was asked for',
    withEdgeApi(async (edge) => {
      const first = await deployed(edge);
      await edgeCli(edge).working(['restart', 'web', 'production']);
      const { stdout } = await edgeCli(edge).run('history', 'web', 'production');
      const lines = stdout.trimEnd().split('\n');
      assert.match(lines[0] ?? '', /^deployment +created +where +what +status/);
      assert.match(lines[1] ?? '', /web production +restart +succeeded/);
      assert.match(lines[2] ?? '', new RegExp(`^${first} .*deploy 2\\.0\\.0 +succeeded`));
      assert.equal((await edgeCli(edge).run('history', '-n', '1')).stdout.trimEnd().split('\n').length, 2);
    }),
  );

  test(
    'logs are whole lines with their target or without, and inert; with --json as they came',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const id = await edge.deploy('2.0.0');
      const texts = ['one \u001b[31mred', '\u001b[0m\ntwo\n'];
      const written: Promise<void>[] = [];
      await edge.work(({ task, epoch, target, step }) => {
        if (target !== 'web-1' || step !== 'start') return undefined;
        const chunks = texts.map((text, seq) => ({ task, epoch, seq, text }));
        written.push(edge.store.tasks.appendOutput(workerId('test/worker/1'), chunks));
        return undefined;
      });
      await Promise.all(written);
      const { stdout } = await edgeCli(edge).run('logs', id, '--target', 'web-1');
      assert.equal(stdout, 'web-1 start | one red\nweb-1 start | two\n');
      assert.equal((await edgeCli(edge).run('logs', id, '--plain')).stdout, 'one red\ntwo\n');
      assert.equal((await edgeCli(edge).run('logs', id, '--target', 'web-2')).stdout, '');
      const rows = jsonLines((await edgeCli(edge).run('logs', id, '--follow', '--json')).stdout);
      assert.equal(rows.map(({ text }) => text).join(''), texts.join(''));
    }),
  );
});

describe('edge targets', () => {
  test(
    'they are shown with where they are, and what has changed in the inventory',
    withEdgeApi(async (edge) => {
      await edge.configure(1);
      const listed = await edgeCli(edge).run('targets', 'web', 'production');
      assert.equal(
        listed.stdout,
        'name   address   zone     port  members\nweb-1  10.0.0.1  default  8080  web/web-1\n\n1 target from the configuration\n',
      );
      const origin = 'the file /lists/web.csv';
      edge.inventory.set(origin, 'name,address,sshPort\nweb-2,10.0.0.2,2222\n');
      const targets = { from: 'file', path: '/lists/web.csv' };
      const place = { kind: 'project-environment', project: 'web', environment: 'production', targets };
      await edge.admin.applyConfiguration({ files: [{ path: 'p.yaml', text: JSON.stringify(place) }] });
      const status = await edgeCli(edge).run('status', 'web', 'production');
      assert.match(
        status.stdout,
        /^web → production {3}targets from the file \/lists\/web\.csv, never read yet$/m,
      );
      const read = await edgeCli(edge).run('targets', 'web', 'production');
      assert.match(read.stdout, /^web-2 {2}10\.0\.0\.2 \(ssh 2222\) {2}default {2}– {5}–$/m);
      assert.match(read.stdout, /^1 target from the file \/lists\/web\.csv$/m);
      edge.inventory.set(origin, 'name,address\nweb-3,10.0.0.3\n');
      const again = await edgeCli(edge).run('targets', 'web', 'production');
      assert.match(again.stdout, /^Since .*Z: web-3 came into the inventory; web-2 left the inventory\.$/m);
      const json = JSON.parse((await edgeCli(edge).run('targets', 'web', 'production', '--json')).stdout);
      assert.equal(json.targets[0].name, 'web-3');
      const now = await edgeCli(edge).run('status', 'web', 'production');
      assert.match(now.stdout, /^web → production {3}1 target from the file \/lists\/web\.csv, read 20.*Z$/m);
    }),
  );
});

describe('edge doctor', () => {
  test(
    'all hosts and pools are tried; the first problem gives the exit status',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      const well = await edgeCli(edge).run('doctor');
      assert.equal(well.status, 0);
      assert.match(well.stdout, /^✓ host web-1/m);
      assert.match(well.stdout, /^3 of 3 are well$/m);
      edge.hosts.set('web-2', new EdgeError('host_unreachable', 'web-2 does not answer on port 22'));
      const ill = await edgeCli(edge).run('doctor', 'web', 'production');
      assert.equal(ill.status, 7);
      assert.match(
        ill.stdout,
        /^✗ host web-2.*\n {4}error host_unreachable: web-2 does not answer on port 22$/m,
      );
      assert.equal(JSON.parse((await edgeCli(edge).run('doctor', '--json')).stdout).checks.length > 2, true);
    }),
  );
});
