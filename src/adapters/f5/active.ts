import { EdgeError } from '../../domain/errors.ts';
import type { UnitView } from './cluster.ts';
import type { F5Unit } from './unit.ts';

/** A unit that was asked: what it says of itself, `undefined` if it does not say, or why it could not be asked. */
export type Look = Seen | { readonly unit: F5Unit; readonly error: unknown };
export type Seen = { readonly unit: F5Unit; readonly view: UnitView | undefined };

/**
 * The unit to work on, of one or two that were asked. One that does not say what it is, is believed when it is the only one:
 * of two, nobody could tell which has the traffic. Throws if not exactly one is active.
 */
export function activeOf(looks: readonly Look[]): Seen {
  const [only] = looks;
  if (only && looks.length === 1 && isMute(only)) return only;
  const mute = looks.find(isMute);
  if (mute) throw saysNothing(mute);
  const [active, second] = looks.filter(isActive);
  if (!active) throw noneActive(looks);
  const rival = second?.unit.origin ?? (looks.length > 1 ? active.view?.rival : undefined);
  if (rival !== undefined) throw twoActive(active, rival);
  return active;
}

/** While a pair fails over, neither may be active for a moment: nobody is, nobody refuses, and that may change. */
export const mayChange = (looks: readonly Look[]): boolean =>
  looks.length > 1 && !looks.some((look) => isActive(look) || isMute(look) || isRefusal(look));

export const isUnreachable = (error: unknown): boolean =>
  error instanceof EdgeError && error.code === 'balancer_unreachable';

const isActive = (look: Look): look is Seen => 'view' in look && look.view?.state === 'active';
const isMute = (look: Look): look is Seen => 'view' in look && look.view === undefined;
const isRefusal = (look: Look): boolean => 'error' in look && !isUnreachable(look.error);

/** A unit that refuses may be the active one, and is the one to mend: its refusal goes first. */
function noneActive(looks: readonly Look[]): unknown {
  const refusal = looks.find(isRefusal);
  if (refusal && 'error' in refusal) return refusal.error;
  const [only] = looks;
  if (only && looks.length === 1) return 'error' in only ? only.error : notActive(only);
  const states = looks.map((look) => `${look.unit.origin} ${wordsOf(look)}`).join(', ');
  return new EdgeError('balancer_unreachable', `No unit of the pair is active: ${states}`);
}

function wordsOf(look: Look): string {
  if ('view' in look) return `is ${look.view?.state ?? 'unknown'}`;
  return `does not answer (${look.error instanceof Error ? look.error.message : String(look.error)})`;
}

/** A drain on a unit that is not active would be lost, and its counts are not those of the traffic. */
export function notActive({ unit, view }: Seen): EdgeError {
  const hint =
    'Name the other unit of the pair as `peer`, or set `url` to the unit that is active or to an address that moves with it.';
  const message = `${unit.origin} is the ${view?.state ?? 'unknown'} unit of its group`;
  return new EdgeError('balancer_refused', message, { hint });
}

function twoActive({ unit }: Seen, rival: string): EdgeError {
  const hint =
    'Mend the failover link of the pair. If both are meant to be active, name each as a balancer of its own, without `peer`.';
  return new EdgeError('balancer_refused', `${unit.origin} and ${rival} are both active`, { hint });
}

function saysNothing({ unit }: Seen): EdgeError {
  const hint = 'Let the account read /mgmt/tm/cm/device, or name only the one unit that is to be used.';
  return new EdgeError('balancer_refused', `${unit.origin} does not say whether it is active`, { hint });
}
