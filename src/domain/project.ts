import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { analysisSchema } from './analysis.ts';
import { argvField, envField, ifUnknownField, nameField, remoteFolderField, timeoutField } from './fields.ts';
import { healthSchema } from './health.ts';

const folder = remoteFolderField.describe('Folder on the hosts; commands run in it. May start with `~/`.');
const runAs = nameField.describe(
  'User that commands run as, through `sudo -n`; if left out, the user of the SSH login.',
);
const keepReleases = z
  .int()
  .min(1)
  .max(1_000)
  .describe('How many releases stay in `releases/`, the running one included.');

const start = argvField.describe('Starts the service and returns. Run in `folder`.');
const stop = argvField.describe(
  'Stops the service and returns when it has ended. Exit status 0 also if nothing ran.',
);
const install = argvField.describe(
  'Your own way to install, in place of release folders. It finds EDGE_RELEASE, EDGE_VERSION and EDGE_RELEASE_HASH in its environment.',
);
const reload = argvField.describe(
  'Makes the running service read its property files again, for `edge deploy --reload`. Run in `folder`.',
);
const unknown = z
  .union([z.literal('ask'), ifUnknownField], 'ask, retry, or { check: command }')
  .describe(
    'When nobody saw how it ended: `ask` a person; `retry`, once nothing of it runs any more, if it may be done twice; or `check` on the target whether it is done, else ask.',
  );
const onUnknown = z
  .strictObject({
    stop: unknown.exactOptional(),
    start: unknown.exactOptional(),
    install: unknown.exactOptional(),
    reload: unknown.exactOptional(),
  })
  .describe('What follows when nobody saw how a command ended, such as when its host was restarted.');
const env = envField.describe('Environment variables of start, stop and install.');

/** A second lock beside the balancer, on the host itself. */
const gate = z
  .strictObject({
    close: argvField.describe('Makes the page that the balancer asks say "not ready". Run in `folder`.'),
    open: argvField.describe('Makes it say "ready" again. Exit status 0 also if it does already.'),
  })
  .describe(
    'A second lock on the host: closed once a target is drained, before it is stopped, and opened once it is verified, so that no balancer sends it anything whatever it has forgotten. The health check asks another page or port than the balancer: it must pass while the gate is closed.',
  );

const stopMs = timeoutField.describe('Longest time for `stop`.');
const startMs = timeoutField.describe('Longest time for `start`.');
const installMs = timeoutField.describe(
  'Longest time for the fetch of a release, with the copying of artifacts, and for its install.',
);
const upMs = timeoutField.describe('How long balancers may take to see a member as up after it was enabled.');
const graceMs = timeoutField.describe('Time between TERM and KILL when a command is ended.');

export const projectSchema = z
  .strictObject({
    kind: z.literal('project').describe('Says what this document is.'),
    name: nameField.describe('Name of the project.'),
    description: z.string().max(1_000).exactOptional().describe('What it is, for people.'),
    folder,
    runAs: runAs.exactOptional(),
    keepReleases: keepReleases.default(5),
    commands: z
      .strictObject({
        start: start.default(['current/bin/start']),
        stop: stop.default(['current/bin/stop']),
        install: install.exactOptional(),
        reload: reload.exactOptional(),
      })
      .prefault({})
      .describe('How the service is started, stopped, installed and reloaded.'),
    onUnknown: onUnknown.exactOptional(),
    env: env.default({}),
    gate: gate.exactOptional(),
    health: healthSchema
      .exactOptional()
      .describe('How a target shows that it is well; without it nothing is verified.'),
    analysis: analysisSchema
      .exactOptional()
      .describe('By which metrics the canary of a deployment is judged; without it nobody judges it.'),
    timeouts: z
      .strictObject({
        stopMs: stopMs.default(60_000),
        startMs: startMs.default(60_000),
        installMs: installMs.default(600_000),
        upMs: upMs.default(60_000),
        graceMs: graceMs.default(10_000),
      })
      .prefault({})
      .describe('How long the steps may take.'),
  })
  .describe('What is deployed: its folder on the hosts, its commands and its health check.');

/** What is deployed. With no `commands.install`, a release lands in `<folder>/releases/<release id>`, linked by `current`. */
export type Project = DeepReadonly<z.infer<typeof projectSchema>>;

/** What one environment does differently for a project; what is left out stays as the project says. */
export const projectOverridesSchema = z.strictObject({
  folder: folder.exactOptional(),
  runAs: runAs.exactOptional(),
  keepReleases: keepReleases.exactOptional(),
  commands: z
    .strictObject({
      start: start.exactOptional(),
      stop: stop.exactOptional(),
      install: install.exactOptional(),
      reload: reload.exactOptional(),
    })
    .exactOptional()
    .describe('Commands that differ here.'),
  onUnknown: onUnknown.exactOptional(),
  env: env.exactOptional().describe('Environment variables that are added or replaced here.'),
  gate: gate.exactOptional(),
  timeouts: z
    .strictObject({
      stopMs: stopMs.exactOptional(),
      startMs: startMs.exactOptional(),
      installMs: installMs.exactOptional(),
      upMs: upMs.exactOptional(),
      graceMs: graceMs.exactOptional(),
    })
    .exactOptional()
    .describe('Times that differ here.'),
});
