import { asEdgeError, EdgeError } from '../domain/errors.ts';
import type { Plan, PlannedArtifact } from '../domain/plan.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { Artifacts } from '../ports/artifacts.ts';

const SIDE_BY_SIDE = 4;

/**
 * What is wrong with the artifacts that targets of the plan get: that they exist and are those of the release is known
 * before the first target is touched. Artifacts of what ran before are on the hosts already.
 */
export async function brokenArtifacts(artifacts: Artifacts, plan: Plan): Promise<readonly EdgeError[]> {
  const needed = new Set(plan.targets.flatMap(({ release }) => (release === null ? [] : [release])));
  const files = [...needed].flatMap((id) => plan.releases[id]?.artifacts ?? []);
  const broken: EdgeError[] = [];
  await forEachLimited(files, SIDE_BY_SIDE, async (file) => {
    const fault = await check(artifacts, file);
    if (fault) broken.push(fault);
  });
  return broken;
}

async function check(artifacts: Artifacts, file: PlannedArtifact): Promise<EdgeError | null> {
  try {
    const { sha256, sizeBytes } = await artifacts.measure(file.path);
    if (sha256 === file.sha256 && sizeBytes === file.sizeBytes) return null;
    const message = `The artifact ${file.name} (${file.path}) is not the file that the release was made of`;
    return new EdgeError('artifact_mismatch', message);
  } catch (thrown) {
    return asEdgeError(thrown);
  }
}
