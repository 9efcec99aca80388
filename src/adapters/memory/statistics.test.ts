import { trafficStatisticsContract } from '../../../test/contracts/traffic-statistics.ts';
import { createMemoryStatistics } from './statistics.ts';

trafficStatisticsContract('counters in memory', async () => {
  let now = 1_000_000;
  const statistics = createMemoryStatistics({ web: ['web-1', 'web-2'] }, { now: () => now });
  return {
    ...{ statistics, pool: 'web', members: ['web-1', 'web-2'] },
    serve: async (member, well, badly) => {
      now += 60_000;
      statistics.count({ pool: 'web', member }, { requests: well + badly, errors: badly });
    },
    restart: async () => statistics.restart(),
    vanish: async () => statistics.setReachable(false),
    dispose: () => statistics.close(),
  };
});
