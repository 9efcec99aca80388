import type { Plan } from '../domain/plan.ts';
import { type Forecast, forecast } from '../plan/forecast.ts';
import type { Past } from '../plan/request.ts';
import type { Views } from '../ports/views.ts';
import { authorize, type Caller } from './caller.ts';
import { mustSee, type OneDeployment, planOf } from './deployments.ts';
import type { PlaceRequest } from './documents.ts';
import type { OperationPorts } from './ports.ts';

/** What is learnt from, at most: read for every plan that somebody looks at. */
const HERE = { deployments: 10, events: 2_000 } as const;
const FLEET = { deployments: 20, events: 500 } as const;

/** What the deployments of this project and environment tell. */
export async function pastOf(views: Views, { project, environment }: PlaceRequest): Promise<Past> {
  const [here, [last]] = await Promise.all([
    views.steps({ project, environment, ...HERE }),
    views.deployments({ project, environment, deploys: true, ended: true, limit: 1 }),
  ]);
  return { history: { here, fleet: [] }, last: last ?? null };
}

/** The fleet is asked only about steps that were not done here often enough. */
export async function withFleet(
  views: Views,
  plan: Plan,
  known: { readonly past: Past; readonly forecast: Forecast },
): Promise<{ readonly past: Past; readonly forecast: Forecast }> {
  if (known.forecast.steps.every(({ from }) => from !== 'guess')) return known;
  const history = { ...known.past.history, fleet: await views.steps(FLEET) };
  return { past: { ...known.past, history }, forecast: forecast(plan, history) };
}

export type ForecastOutput = { readonly forecast: Forecast };

/** How long the plan of a deployment takes from its start, by what is known by now. Throws `deployment_unknown`. */
export async function deploymentForecast(
  { views }: OperationPorts,
  caller: Caller,
  { deployment }: OneDeployment,
): Promise<ForecastOutput> {
  authorize(caller, 'deployment.read');
  const [row, plan] = await Promise.all([mustSee(views, caller, deployment), planOf(views, deployment)]);
  const past = await pastOf(views, row);
  return withFleet(views, plan, { past, forecast: forecast(plan, past.history) });
}
