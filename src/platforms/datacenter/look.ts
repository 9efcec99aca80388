import type { Step } from '../../domain/plan.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Platform } from '../../plan/sequences.ts';

const LOOK_MS = 300_000;

/** The step that looks at a target. Where what was put there lies is a fact of each: the project may say otherwise by now. */
const step: Step = {
  id: 'look',
  action: 'release.look@1',
  inputs: {
    host: { target: 'host' },
    folder: { target: 'folder' },
    sudoUser: { target: 'sudoUser' },
    filesOnly: { target: 'filesOnly' },
    release: { release: true },
    files: { files: true },
  },
  timeoutMs: LOOK_MS,
  retries: { max: 2, backoffMs: 5_000 },
  // What has only looked is begun anew by whoever wants to know.
  onUnknown: 'ask',
};

export const look: Platform['look'] = { steps: [step], facts: factsOf };

const KEPT = ['folder', 'sudoUser', 'filesOnly'] as const;

/** `null`: what was put there is not by an action of Edge's own. */
function factsOf(steps: readonly Step[]): JsonObject | null {
  const install = steps.find(({ action }) => action.startsWith('release.install@'));
  if (!install) return null;
  return Object.fromEntries(
    KEPT.flatMap((name) => {
      const input = install.inputs[name];
      return input && 'value' in input ? [[name, input.value]] : [];
    }),
  );
}
