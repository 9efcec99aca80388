import type { Health } from '../../domain/health.ts';
import type { Input } from '../../domain/plan.ts';
import type { Json } from '../../lib/json.ts';
import type { Settings } from '../../plan/settings.ts';

/** How a command finds its host, folder, variables and user. */
export function onHost(settings: Settings): Readonly<Record<string, Input>> {
  return {
    host: { target: 'host' },
    cwd: literal(settings.folder),
    env: settings.envDiffers ? { target: 'env' } : literal(settings.env),
    ...asUser(settings),
  };
}

/** Through sudo, where the project says so. */
export const asUser = ({ runAs }: Settings): Readonly<Record<string, Input>> =>
  runAs === undefined ? {} : { sudoUser: literal(runAs) };

/** A value that is the same for every target. */
export const literal = (value: Json | Settings['balancers'] | Health['check']): Input => ({
  value: value as Json,
});
