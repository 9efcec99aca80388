import { asEdgeError, type EdgeError } from '../domain/errors.ts';
import type { Plan } from '../domain/plan.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { Artifacts } from '../ports/artifacts.ts';

const SIDE_BY_SIDE = 4;
/** A source that is silent ends a look by itself. */
const NEVER = new AbortController().signal;

/**
 * What is wrong with the artifacts that targets of the plan get: that they exist and are those of the release is known
 * before the first target is touched. Artifacts of what ran before are on the hosts already.
 */
export async function brokenArtifacts(artifacts: Artifacts, plan: Plan): Promise<readonly EdgeError[]> {
  const needed = new Set(plan.targets.flatMap(({ release }) => (release === null ? [] : [release])));
  const files = [...needed].flatMap((id) => plan.releases[id]?.artifacts ?? []);
  const broken: EdgeError[] = [];
  await forEachLimited(files, SIDE_BY_SIDE, async (file) => {
    await artifacts.look(file, NEVER).catch((thrown: unknown) => broken.push(asEdgeError(thrown)));
  });
  return broken;
}
