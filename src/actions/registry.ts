import { EdgeError } from '../domain/errors.ts';
import type { Action, ActionHandler, ActionPorts } from '../ports/action.ts';
import { canaryJudge } from './canary-judge.ts';
import { bindAction } from './define.ts';
import { healthVerify } from './health-verify.ts';
import { earlierHostRun, hostRun } from './host-run.ts';
import { definePlugin } from './plugin.ts';
import { scriptRun } from './script-run.ts';
import { waitSettle } from './wait-settle.ts';

/** The actions that no platform owns. */
export const { actions: COMMON_ACTIONS } = definePlugin({
  name: 'common',
  actions: [hostRun, earlierHostRun, scriptRun, waitSettle, healthVerify, canaryJudge],
});

/** Actions by `name@major`, bound to a worker's ports: its capabilities. Throws when two answer to one name. */
export function bindActions(
  actions: readonly Action[],
  ports: ActionPorts,
): ReadonlyMap<string, ActionHandler> {
  const handlers = new Map<string, ActionHandler>();
  for (const action of actions) {
    const handler = bindAction(action, ports);
    if (handlers.has(handler.capability)) {
      throw new EdgeError('internal', `two actions answer to ${handler.capability}`);
    }
    handlers.set(handler.capability, handler);
  }
  return handlers;
}
