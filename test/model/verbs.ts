import assert from 'node:assert/strict';
import { checkWorld, idOf } from './compare.ts';
import {
  type Deployment,
  hasEnded,
  type Order,
  refusal,
  type Says,
  type Verb,
  withStatus,
} from './deployment-model.ts';
import { count, type Model } from './model.ts';
import { rollBack } from './place-model.ts';
import type { RealEdge } from './real-edge.ts';
import { chosen, late, placeOf, type Step, type Turn, turn } from './step.ts';
import { PROJECTS } from './world.ts';

export type Steered = Turn & {
  readonly of: number;
  readonly age: number;
  readonly target: number;
  /** It passed the door before what would refuse it there now: only the engine can refuse it. */
  readonly late: boolean;
};

/** An operator's verb, mostly on the deployment that has the lock, else on one that has ended. */
export abstract class Steer implements Step {
  readonly #of: Steered;

  constructor(of: Steered) {
    this.#of = of;
  }

  abstract readonly verb: Verb;
  /** What the person says of a step, where they say something. */
  protected readonly says: Says | undefined = undefined;

  /** The targets among which one is picked. */
  protected among(d: Deployment): readonly string[] {
    return [...d.targets.keys()];
  }

  check(model: Readonly<Model>): boolean {
    const { deployments } = placeOf(model, this.#of.of);
    const d = deployments[this.#age(deployments.length)];
    if (!d) return false;
    return !hasEnded(d) || this.verb === 'rollback' || this.#of.target === 0;
  }

  #age(length: number): number {
    return this.#of.age % Math.max(1, length);
  }

  async run(model: Model, real: RealEdge): Promise<void> {
    const place = placeOf(model, this.#of.of);
    const d = place.deployments[this.#age(place.deployments.length)];
    assert.ok(d);
    const target = chosen(this.among(d), this.#of.target) ?? '';
    const order: Order = { verb: this.verb, target, ...(this.says && { says: this.says }) };
    if (this.#of.late) {
      const { step = 0, group = 0 } = d.targets.get(target) ?? {};
      const index = [...d.targets.keys()].indexOf(target);
      await real.submit(idOf(model, d), { ...order, index, step, group });
      if (!hasEnded(d)) place.asked.push({ order });
      count(model, `${this.verb} late`);
      await turn(model, real, this.#of);
      return;
    }
    const starts = this.verb === 'rollback' && hasEnded(d);
    const expected = starts ? rollBack(place, d) : refusal(d, order);
    assert.equal(await real.steer(idOf(model, d), order), expected, `${this}`);
    if (expected === null && !starts) place.asked.push({ order });
    count(model, `${this.verb} ${expected ?? (starts ? 'started' : 'accepted')}`);
    if (starts && expected === null) await checkWorld(model, real);
    else await turn(model, real, this.#of);
  }

  toString(): string {
    const { of, age, target } = this.#of;
    const which = age === 0 ? 'the newest' : `the newest but ${age}`;
    return `${this.verb}${this.says ? ` ${JSON.stringify(this.says)}` : ''}${this.#of.late ? ' past the door' : ''} (target ${target}) ${which} of ${chosen(PROJECTS, of)}${late(this.#of)}`;
  }
}

export class Pause extends Steer {
  readonly verb = 'pause';
}
export class Resume extends Steer {
  readonly verb = 'resume';
}
export class Abort extends Steer {
  readonly verb = 'abort';
}
export class Rollback extends Steer {
  readonly verb = 'rollback';
}
/** Mostly of one that failed: hardly any other may be retried. */
abstract class OfFailed extends Steer {
  protected override among(d: Deployment): readonly string[] {
    const failed = withStatus(d, 'failed', 'unknown', 'aborted').map(({ name }) => name);
    return [...failed, ...failed, ...super.among(d)];
  }
}
export class Retry extends OfFailed {
  readonly verb = 'retry';
}
abstract class Resolve extends OfFailed {
  readonly verb = 'resolve';
}
export class SayDone extends Resolve {
  protected override readonly says = { as: 'succeeded', ended: true } as const;
}
export class SayDoneUnseen extends Resolve {
  protected override readonly says = { as: 'succeeded', ended: false } as const;
}
export class SayFailed extends Resolve {
  protected override readonly says = { as: 'failed', ended: false } as const;
}
export class Skip extends Steer {
  readonly verb = 'skip';
}

/** Two verbs in one breath: the second was asked before the first was heard. */
export class Both implements Step {
  readonly #first: Steer;
  readonly #second: Steer;

  constructor(first: Steer, second: Steer) {
    this.#first = first;
    this.#second = second;
  }

  check(model: Readonly<Model>): boolean {
    return this.#first.check(model) && this.#second.check(model);
  }

  async run(model: Model, real: RealEdge): Promise<void> {
    await this.#first.run(model, real);
    await this.#second.run(model, real);
  }

  toString(): string {
    return `${this.#first}; ${this.#second}`;
  }
}
