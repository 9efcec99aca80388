import { EdgeError } from '../domain/errors.ts';
import type { DeploymentId, ReleaseId } from '../domain/ids.ts';
import { answerOf, type MetricsAnswer, type MetricsQuery, pointsOf } from '../domain/metrics.ts';
import type { Plan } from '../domain/plan.ts';
import type { MetricsSource } from '../ports/metrics.ts';
import { type Course, courseOf, isGap } from './course.ts';
import type { Draw } from './draw.ts';
import type { Fact } from './facts.ts';
import type { Faults } from './faults.ts';
import { EPOCH_MS, type Life } from './life.ts';
import { call, type Link } from './link.ts';
import type { Scenario, ScenarioTarget } from './scenario.ts';
import type { Schedule } from './schedule.ts';

export type MeasuringParts = {
  readonly scenario: Scenario;
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly before: (target: ScenarioTarget) => ReleaseId | null;
  readonly isHarmful: (release: ReleaseId) => boolean;
};

/** What a server did in one step: so many requests, of which so many failed. */
export type Counted = { readonly requests: number; readonly errors: number };

type Ran = { readonly fromMs: number; readonly release: ReleaseId | null };
type Judged = { readonly id: DeploymentId; readonly plan: Plan };

/** Of a server that no judge looks at. */
const REQUESTS = 1_000;
/** So many requests fail: of what is as it should be, of what does harm, and of what nobody can be sure of. */
const SHARES = { true: 0.1, harmful: 0.4, 'false alarm': 0.4, noisy: 0.125 };

/**
 * Where the simulated fleet is measured: each server counts what it serves, by the release that runs there at that moment. What a
 * source makes of it is decided for each deployment with a judge when it is first asked (`course.ts`).
 */
export class Measuring {
  readonly #parts: MeasuringParts;
  readonly #ran: ReadonlyMap<string, Ran[]>;
  readonly #judged = new Map<string, Judged>();
  readonly #openedAtMs = new Map<DeploymentId, number>();
  readonly #courses = new Map<DeploymentId, Course>();

  constructor(parts: MeasuringParts) {
    this.#parts = parts;
    this.#ran = new Map(
      parts.scenario.targets.map((target) => {
        const release = target.found === 'serves' ? parts.before(target) : null;
        return [target.name, [{ fromMs: Number.NEGATIVE_INFINITY, release }]];
      }),
    );
  }

  see(fact: Fact): void {
    if (fact.kind === 'service.changed') {
      const release = fact.isWell ? fact.running : null;
      const ran = this.#ran.get(fact.target);
      if (ran?.at(-1)?.release !== release) ran?.push({ fromMs: this.#parts.schedule.nowMs, release });
    }
    if (fact.kind === 'committed' && fact.commit.events.some(({ kind }) => kind === 'stage.opened'))
      this.#openedAtMs.set(fact.lease.deployment, this.#parts.schedule.nowMs);
    if (fact.kind !== 'deployment.created') return;
    const { id, plan } = fact.made;
    if (judgesOf(plan).length > 0) this.#judged.set(plan.project, { id, plan });
  }

  /** What was decided for a deployment, once its source was asked. */
  courseOf(deployment: DeploymentId): Course | undefined {
    return this.#courses.get(deployment);
  }

  /** What a server did in the step that ended then, ms since the epoch, as its source has it or will have it; nothing where that has nothing. */
  counted(target: string, atMs: number, course: Course | undefined): Counted | null {
    const release = this.#ran.get(target)?.findLast(({ fromMs }) => fromMs <= atMs - EPOCH_MS)?.release;
    if (!release || (course && isGap(course, target, atMs))) return null;
    const requests = course?.requests ?? REQUESTS;
    const isTold = course !== undefined && course.canary.has(target) && atMs - EPOCH_MS > course.fromMs;
    const tale = isTold ? course.tale : 'true';
    const share = SHARES[this.#parts.isHarmful(release) ? 'harmful' : tale];
    return { requests, errors: Math.round(requests * share) };
  }

  /** The source as a process reaches it. */
  source(life: Life, { timeoutMs, delayMs }: { readonly timeoutMs: number; readonly delayMs: number }) {
    const { schedule, faults, draw } = this.#parts;
    const way = { requestMs: draw.int(1, 20), replyMs: draw.int(1, 20) };
    const source: MetricsSource = {
      query: (query, signal) => {
        const judged = this.#judgedBy(query);
        const lost =
          judged && this.#isSilent(judged) ? draw.pick(['refused', 'request'] as const) : undefined;
        const link: Link = {
          ...{ code: 'metrics_unreachable', deadlineMs: timeoutMs },
          trip: () => (lost ? { ...way, lost } : way),
        };
        const perform = async () => this.#answer(query, life.clock.now() - delayMs);
        return call({ schedule, faults, life, link }, 'query', { perform, signal });
      },
      close: async () => {},
    };
    return source;
  }

  #judgedBy({ text }: MetricsQuery): (Judged & { readonly course: Course }) | undefined {
    const judged = this.#judged.get(projectIn(text));
    if (!judged) return undefined;
    const fromMs = this.#openedAtMs.get(judged.id) ?? this.#parts.schedule.nowMs;
    const course = this.#courses.get(judged.id) ?? courseOf({ ...judged, fromMs }, this.#parts);
    this.#courses.set(judged.id, course);
    return { ...judged, course };
  }

  #isSilent({ course: { silent } }: { readonly course: Course }): boolean {
    const { faults, schedule } = this.#parts;
    const isSilent =
      silent !== null && !faults.areOver && schedule.nowMs >= silent.fromMs && schedule.nowMs < silent.toMs;
    if (isSilent) faults.note('metrics.unreachable');
    return isSilent;
  }

  #answer(query: MetricsQuery, believedToMs: number): MetricsAnswer {
    const course = this.#judgedBy(query)?.course;
    const { faults, schedule, scenario } = this.#parts;
    if (course?.refuses && !faults.areOver) {
      faults.note('metrics.refused');
      throw new EdgeError('metrics_refused', 'the simulated source refuses the query');
    }
    const lateMs = course && !faults.areOver ? course.lateMs : 0;
    const completeToMs = believedToMs - (course?.saysLate ? lateMs : 0);
    if (completeToMs < query.fromMs) return { kind: 'early', completeToMs };
    // Whatever the clock of who asks says: nothing is there of what is to come.
    const untilMs = Math.min(completeToMs, EPOCH_MS + schedule.nowMs - lateMs);
    const project = projectIn(query.text);
    const what = query.text.endsWith('_errors') ? 'errors' : 'requests';
    const series = scenario.targets.flatMap(({ name, project: own }) => {
      if (own !== project) return [];
      const values = Array.from({ length: pointsOf(query) }, (_, n) => {
        const atMs = query.fromMs + n * query.stepMs;
        return atMs > untilMs ? null : (this.counted(name, atMs, course)?.[what] ?? null);
      });
      return [{ labels: { instance: `${name}.example:8080` }, values }];
    });
    return answerOf({ series, warnings: [], completeToMs });
  }
}

const projectIn = (query: string): string => query.replace(/_(errors|requests)$/, '');

/** By their places among the targets: what judges the canaries of a plan. */
export const judgesOf = ({ targets, sequences, stages }: Plan): readonly number[] =>
  stages.flatMap(({ lanes }) =>
    lanes.flatMap(({ batches }) =>
      batches.flatMap((batch) =>
        sequences[batch.sequence]?.[0]?.action.startsWith('canary.judge@')
          ? batch.targets.filter((index) => targets[index]?.hook)
          : [],
      ),
    ),
  );
