import assert from 'node:assert/strict';
import { metricsContract } from '../../../test/contracts/metrics.ts';
import { realClock } from '../../../test/support/clock.ts';
import { fillQuery } from '../../domain/metric-query.ts';
import { createMemoryMetrics } from './metrics.ts';

metricsContract('memory', async ({ samples, now, timeoutMs, delayMs }) => {
  const source = createMemoryMetrics({ clock: { ...realClock, now }, timeoutMs, delayMs });
  for (const sample of samples) source.put(sample);
  return {
    source,
    select: (name, server) => {
      const template = server === undefined ? name : `${name}{server="{{server}}"}`;
      const filled = fillQuery(template, { server: server ?? '' }, 'promql');
      assert.ok(filled.kind === 'filled');
      return filled.text;
    },
    nonsense: 'errors{',
    setPartial: async (isPartial) => source.setWarning(isPartial ? 'half of it is gone' : undefined),
    break: async () => source.setReachable(false),
    mend: async () => source.setReachable(true),
    hang: async () => source.setSilent(true),
    dispose: () => source.close(),
  };
});
