import type { CommandId, DeploymentId } from '../domain/ids.ts';

/** Makes ids; each sorts after those made before it by the same process. */
export interface Ids {
  deployment(): DeploymentId;
  command(): CommandId;
}
