import { useQuery } from '@tanstack/react-query';
import { edge } from './client.ts';
import { useOverview } from './shell.tsx';

/** What runs where, asked again whenever a deployment begins or ends, and now and then. */
export function useStatus() {
  const { deployments } = useOverview();
  const changes = deployments.map(({ id, ended }) => `${id}${ended ? '.' : ''}`).join(' ');
  return useQuery({
    queryKey: ['status', changes],
    queryFn: async () => (await edge.status()).projectEnvironments,
    placeholderData: (before) => before,
    refetchInterval: 30_000,
  });
}
