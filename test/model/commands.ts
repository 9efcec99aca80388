import assert from 'node:assert/strict';
import { checkWorld } from './compare.ts';
import { type Answer, stepsOf } from './deployment-model.ts';
import { count, type Model, openTasks } from './model.ts';
import { deploy, holderOf, returnParked, type Settings } from './place-model.ts';
import type { RealEdge } from './real-edge.ts';
import { chosen, late, placeOf, type Step, type Turn, turn } from './step.ts';
import { driveBoth, PROJECTS, VERSIONS } from './world.ts';

export class Deploy implements Step {
  readonly #of: number;
  readonly #version: number;
  readonly #twice: boolean;

  constructor(of: number, version: number, twice: boolean) {
    this.#of = of;
    this.#version = version;
    this.#twice = twice;
  }

  check = () => true;

  async run(model: Model, real: RealEdge): Promise<void> {
    const place = placeOf(model, this.#of);
    const version = chosen(VERSIONS, this.#version) ?? '';
    const times = this.#twice ? 2 : 1;
    const expected = Array.from({ length: times }, () => deploy(place, version));
    const asked = expected.map(() => real.deploy(place.project, version));
    assert.deepEqual((await Promise.all(asked)).toSorted(), expected.toSorted(), `${this}`);
    for (const code of expected) count(model, `deploy ${code ?? 'started'}`);
    await checkWorld(model, real);
  }

  toString(): string {
    const [project, version] = [chosen(PROJECTS, this.#of), chosen(VERSIONS, this.#version)];
    return `deploy ${version} of ${project}${this.#twice ? ' twice' : ''}`;
  }
}

export class ReturnParked implements Step {
  readonly #of: number;

  constructor(of: number) {
    this.#of = of;
  }

  check = () => true;

  async run(model: Model, real: RealEdge): Promise<void> {
    const place = placeOf(model, this.#of);
    const expected = returnParked(place);
    assert.equal(await real.returnParked(place.project), expected, `${this}`);
    count(model, `return ${expected ?? 'started'}`);
    await checkWorld(model, real);
  }

  toString(): string {
    return `return what is parked of ${chosen(PROJECTS, this.#of)}`;
  }
}

/** A worker reports one of the open tasks. */
export class Report implements Step {
  readonly #pick: number;
  readonly #answer: Answer;
  readonly #turn: Turn;

  constructor(pick: number, answer: Answer, how: Turn) {
    this.#pick = pick;
    this.#answer = answer;
    this.#turn = how;
  }

  check = (model: Readonly<Model>) => openTasks(model).length > 0;

  async run(model: Model, real: RealEdge): Promise<void> {
    const { place, name } = chosen(openTasks(model), this.#pick) ?? {};
    const d = place && holderOf(place);
    assert.ok(d && name);
    const step = stepsOf(d.plan)[d.targets.get(name)?.step ?? 0] ?? '';
    // Steps that can be looked at again are tried again by the engine itself; only a command leaves it unknown.
    const answer = this.#answer === 'unknown' && !['stop', 'start'].includes(step) ? 'failed' : this.#answer;
    place.asked.push({ target: name, answer });
    await real.report(name, answer);
    count(model, `report ${answer}`);
    await turn(model, real, this.#turn);
  }

  toString(): string {
    return `open task ${this.#pick} is ${this.#answer}${late(this.#turn)}`;
  }
}

/** Every open task, or that of one target, is done; says whether there was any. */
export async function doWell(model: Model, real: RealEdge, only: string | null): Promise<boolean> {
  const open = openTasks(model).filter(({ name }) => only === null || name === only);
  for (const { place, name } of open) {
    place.asked.push({ target: name, answer: 'done' });
    await real.report(name, 'done');
  }
  return open.length > 0;
}

/** All goes well with one target, or with all, until nothing of it is left to do. */
export class Finish implements Step {
  readonly #pick: number | null;

  constructor(pick: number | null) {
    this.#pick = pick;
  }

  check = (model: Readonly<Model>) => openTasks(model).length > 0;

  async run(model: Model, real: RealEdge): Promise<void> {
    const only = this.#pick === null ? null : chosen(openTasks(model), this.#pick)?.name;
    while (await doWell(model, real, only ?? null)) await driveBoth(model, real);
    count(model, 'finish');
  }

  toString(): string {
    return `all goes well with ${this.#pick === null ? 'all targets' : `the target of open task ${this.#pick}`}`;
  }
}

/** The configuration is edited: what runs keeps its plan, what begins next has the new one. */
export class Edit implements Step {
  readonly #of: number;
  readonly #settings: Omit<Settings, 'order'>;

  constructor(of: number, settings: Omit<Settings, 'order'>) {
    this.#of = of;
    this.#settings = settings;
  }

  check = () => true;

  async run(model: Model, real: RealEdge): Promise<void> {
    const place = placeOf(model, this.#of);
    place.settings = { ...this.#settings, order: place.settings.order.toReversed() };
    await real.edit(place.project, place.settings);
    count(model, holderOf(place) ? 'edit during a run' : 'edit');
  }

  toString(): string {
    return `edit ${chosen(PROJECTS, this.#of)}: ${JSON.stringify(this.#settings)}`;
  }
}

/** What came already comes again: nothing changes. */
export class Again implements Step {
  readonly #pick: number;

  constructor(pick: number) {
    this.#pick = pick;
  }

  check = () => true;

  async run(model: Model, real: RealEdge): Promise<void> {
    await real.again(this.#pick);
    count(model, 'again');
    await driveBoth(model, real);
  }

  toString(): string {
    return `report and command ${this.#pick} come again`;
  }
}

/** A day goes by: all deadlines pass, and pauses have lasted too long. */
export class Day implements Step {
  readonly #turn: Turn;

  constructor(how: Turn) {
    this.#turn = how;
  }

  check = () => true;

  async run(model: Model, real: RealEdge): Promise<void> {
    model.fleet.today += 1;
    await real.passDay();
    count(model, 'day');
    await turn(model, real, this.#turn);
  }

  toString(): string {
    return `a day goes by${late(this.#turn)}`;
  }
}

/** The driver is gone and another takes over: nobody notices. */
export class Takeover implements Step {
  check = () => true;

  async run(model: Model, real: RealEdge): Promise<void> {
    real.restart();
    count(model, 'takeover');
    await driveBoth(model, real);
  }

  toString(): string {
    return 'another driver takes over';
  }
}
