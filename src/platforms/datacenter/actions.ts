import { definePlugin } from '../../actions/plugin.ts';
import { balancerDrain } from './balancer-drain.ts';
import { balancerEnable } from './balancer-enable.ts';
import { capacityGuard } from './capacity-guard.ts';
import { EARLIER_FETCHES, releaseFetch } from './release-fetch.ts';
import { EARLIER_INSTALLS, releaseInstall } from './release-install.ts';
import { releaseLook } from './release-look.ts';

/** The actions of datacenter environments; the common ones are in src/actions/registry.ts. */
export const { actions: DATACENTER_ACTIONS } = definePlugin({
  name: 'datacenter',
  actions: [
    capacityGuard,
    balancerDrain,
    balancerEnable,
    releaseFetch,
    ...EARLIER_FETCHES,
    releaseInstall,
    ...EARLIER_INSTALLS,
    releaseLook,
  ],
});
