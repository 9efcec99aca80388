import { createF5Balancer as realBalancer } from '../../../../src/adapters/f5/load-balancer.ts';
import { BALANCER, pointed } from '../pointed.ts';

export const createF5Balancer: typeof realBalancer = (options) => pointed(realBalancer(options), BALANCER);
