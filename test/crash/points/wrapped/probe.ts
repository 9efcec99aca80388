import { createProbe as realProbe } from '../../../../src/outbound/probe.ts';
import { pointed } from '../pointed.ts';

export const createProbe: typeof realProbe = (http) =>
  pointed(realProbe(http), { name: 'probe', methods: ['http', 'tcp'] });
