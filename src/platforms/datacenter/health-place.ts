import { EdgeError } from '../../domain/errors.ts';
import type { Health } from '../../domain/health.ts';
import type { Input } from '../../domain/plan.ts';
import { type TargetConfig, writtenMembers } from '../../domain/project-environment.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Settings } from '../../plan/settings.ts';
import { literal, onHost } from './inputs.ts';

type Check = Health['check'];

/** Where a check looks, as inputs of its step. `nameOf`: the names under which the facts of a target have the place. */
export function whereOf(
  check: Check,
  settings: Settings,
  nameOf: (fact: string) => string = (fact) => fact,
): Readonly<Record<string, Input>> {
  switch (check.kind) {
    case 'http':
      return { url: { target: nameOf('url') } };
    case 'tcp':
      return { address: { target: nameOf('address') }, port: { target: nameOf('port') } };
    case 'command':
      return onHost(settings);
    case 'balancer':
      return { members: { members: true }, balancers: literal(settings.balancers) };
    default:
      return check satisfies never;
  }
}

/** The place of a target that its checks look at. Throws `config_invalid` where it has none of that kind. */
export function healthFacts(target: TargetConfig, check: Check | undefined): JsonObject {
  if (!check || check.kind === 'command') return {};
  if (check.kind === 'balancer') return behindBalancer(target);
  const port = target.port ?? check.port;
  if (check.kind === 'http') return { url: urlOf(target.address, port, check) };
  if (port !== undefined) return { address: target.address, port };
  throw new EdgeError('config_invalid', `The TCP check of the target ${target.name} has no port`, {
    hint: 'Give the target its `port`, or the health check one for all targets.',
    where: { target: target.name },
  });
}

function behindBalancer(target: TargetConfig): JsonObject {
  if (writtenMembers(target).length > 0) return {};
  throw new EdgeError('config_invalid', `No balancer can say whether the target ${target.name} is well`, {
    hint: 'Give the target its `member`, or the project a health check of another kind.',
    where: { target: target.name },
  });
}

function urlOf(address: string, port: number | undefined, check: { scheme: string; path: string }): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${check.scheme}://${host}${port === undefined ? '' : `:${port}`}${check.path}`;
}
