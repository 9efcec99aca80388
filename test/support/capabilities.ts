import { capabilityOf } from '../../src/actions/define.ts';
import { COMMON_ACTIONS } from '../../src/actions/registry.ts';
import { DATACENTER_ACTIONS } from '../../src/platforms/datacenter/actions.ts';

/** What a worker of today can do, for those that answer in its place. */
export const CAPABILITIES: readonly string[] = [...COMMON_ACTIONS, ...DATACENTER_ACTIONS].map(capabilityOf);
