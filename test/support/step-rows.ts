import assert from 'node:assert/strict';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { STEP_FAILURES } from '../../src/domain/errors.ts';
import { type DeploymentId, deploymentId } from '../../src/domain/ids.ts';
import { buildReleases } from '../../src/lab/releases.ts';
import { type CliResult, cli } from './cli-process.ts';
import type { Estate } from './error-estate.ts';
import { occupy } from './occupy.ts';
import { until } from './until.ts';

/**
 * One way to meet the failure of a step. It stands in the record of a deployment, so the database is not as it was before.
 */
export type StepRow = {
  readonly run: (estate: Estate) => Promise<CliResult>;
  readonly says: RegExp;
  /** 1, unless the deployment gets over it. */
  readonly exit: 0 | 1;
  /** Whose last deployment it is. */
  readonly project: string;
  /** Where; `lab`, if it is left out. */
  readonly environment?: string;
};

export type StepFailureCode = keyof typeof STEP_FAILURES;

const restart =
  (project: string) =>
  ({ settings }: Estate): Promise<CliResult> =>
    cli(['restart', project, 'lab'], { settings });

/** A canary whose verdict is as the name of its project says. */
const judged = (project: string, says: RegExp): StepRow => ({
  ...{ project, environment: 'measured', says, exit: 1 },
  run: async ({ admin, settings }) => {
    await admin.createRelease({ kind: 'release', project, version: '1.0.0', artifacts: [] });
    return cli(['deploy', project, 'measured', '1.0.0'], { settings });
  },
});

export const STEP_ROWS: Readonly<Record<StepFailureCode, StepRow>> = {
  command_failed: {
    project: 'broken',
    run: restart('broken'),
    says: /exit status 3. Its last lines:\s+port 80 is taken/,
    exit: 1,
  },
  health_failed: { project: 'sick', run: restart('sick'), says: /0 of \d+ looks? passed/, exit: 1 },
  drain_timeout: {
    project: 'chatty',
    run: async (estate) => {
      const [, chatty] = estate.members;
      assert.ok(chatty);
      const letGo = await occupy(estate.balancer.virtualUrl('/Common/chatty'), chatty);
      try {
        return await restart('chatty')(estate);
      } finally {
        letGo();
      }
    },
    says: /1 connections? to chatty-1:80 \(chatty of 127\.0\.0\.1:\d+\)/,
    exit: 1,
  },
  member_not_up: {
    project: 'dark',
    run: async (estate) => {
      const [, , dark] = estate.members;
      assert.ok(dark);
      const running = restart('dark')(estate);
      const isOut = () =>
        estate.balancer.members('/Common/dark').some(({ session }) => session === 'user-disabled');
      await until('the member is out of service', isOut);
      dark.healthy = false;
      return running;
    },
    says: /dark-1:80 \(dark of 127\.0\.0\.1:\d+\) as down/,
    exit: 1,
  },
  task_cancelled: {
    project: 'slow',
    run: async ({ settings, slow }) => {
      const following = cli(['watch', slow], { settings });
      await cli(['abort', slow], { settings });
      return following;
    },
    says: /Cancelled: /,
    exit: 1,
  },
  outcome_unknown: { project: 'lost', run: loseTheSupervisor, says: /supervisor/, exit: 0 },
  canary_failed: judged('worse', /errors is .* times that of the baseline .* from the start/),
  canary_unsure: judged('doubtful', /Harm enough to fail is neither shown nor ruled out: errors/),
  canary_no_data: judged('silent', /There is no data of errors/),
  script_changed: {
    project: 'scripted',
    run: withOtherDigests,
    says: /does not have the SHA-256 of the plan; nothing of it was started/,
    exit: 1,
  },
  script_value: {
    project: 'scripted',
    run: restart('scripted'),
    says: /The script tell ended, but it did not give rows/,
    exit: 1,
  },
};

/** The id of the newest deployment of a project. */
export async function newestOf(
  { settings }: Estate,
  { project, environment = 'lab' }: StepRow,
): Promise<DeploymentId> {
  const { stdout } = await cli(['history', project, environment, '-n', '1', '--json'], { settings });
  const { deployments } = JSON.parse(stdout) as { readonly deployments: readonly { readonly id: string }[] };
  return deploymentId(deployments[0]?.id ?? '');
}

/** On this host every file has another digest than elsewhere. */
async function withOtherDigests(estate: Estate): Promise<CliResult> {
  const [host] = estate.hosts;
  assert.ok(host);
  const programs = join(host.folder, '.lab/bin');
  await mkdir(programs, { recursive: true });
  await writeFile(join(programs, 'sha256sum'), `#!/bin/sh\necho ${'0'.repeat(64)}  -\n`);
  await chmod(join(programs, 'sha256sum'), 0o755);
  try {
    return await restart('scripted')(estate);
  } finally {
    await rm(join(programs, 'sha256sum'));
  }
}

/** The first `tar` on the host kills the supervisor of its own task, as somebody out of memory might. */
const DEADLY_TAR = `#!/bin/sh
if [ ! -e "$HOME/deadly" ]; then
  : >"$HOME/deadly"
  leader=$(ps -o sid= -p $$ | tr -d ' ')
  kill -9 "$(ps -o ppid= -p "$leader" | tr -d ' ')" "$leader"
  exit 1
fi
exec /bin/tar "$@"
`;

async function loseTheSupervisor({ admin, settings, folder, hosts }: Estate): Promise<CliResult> {
  const [, host] = hosts;
  assert.ok(host);
  const programs = join(host.folder, '.lab/bin');
  await mkdir(programs, { recursive: true });
  await writeFile(join(programs, 'tar'), DEADLY_TAR);
  await chmod(join(programs, 'tar'), 0o755);
  const [sample] = await buildReleases(join(folder, 'samples'));
  assert.ok(sample);
  const artifacts = [{ name: 'app.tar.gz', path: sample.path, unpack: 'tar.gz' as const }];
  await admin.createRelease({ kind: 'release', project: 'lost', version: '1.0.0', artifacts });
  return cli(['deploy', 'lost', 'lab', '1.0.0'], { settings });
}
