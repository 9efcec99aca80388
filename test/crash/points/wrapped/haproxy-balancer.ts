import { createHaproxyBalancer as realBalancer } from '../../../../src/adapters/haproxy/load-balancer.ts';
import { BALANCER, pointed } from '../pointed.ts';

export const createHaproxyBalancer: typeof realBalancer = (options) =>
  pointed(realBalancer(options), BALANCER);
