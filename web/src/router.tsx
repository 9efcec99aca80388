import type { QueryClient } from '@tanstack/react-query';
import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router';
import { LiveOverview } from './live/overview.ts';
import { DeploymentPage } from './pages/deployment-page.tsx';
import { EnvironmentsPage } from './pages/environments-page.tsx';
import { NowPage } from './pages/now-page.tsx';
import { Fault } from './parts/notes.tsx';
import { OverviewContext, Shell } from './shell.tsx';

/** The addresses of the page: each is a link that says it all. */
export function makeRouter(queries: QueryClient) {
  const overview = new LiveOverview();
  const root = createRootRoute({
    component: () => (
      <OverviewContext value={overview}>
        <Shell queries={queries} />
      </OverviewContext>
    ),
    notFoundComponent: () => (
      <div className="page">
        <h1>There is nothing at this address</h1>
        <p>
          <Link to="/">See what is going on now</Link>
        </p>
      </div>
    ),
    errorComponent: ({ error }) => <Fault error={error} />,
  });
  const now = createRoute({ getParentRoute: () => root, path: '/', component: NowPage });
  const environments = createRoute({
    getParentRoute: () => root,
    path: '/environments',
    component: EnvironmentsPage,
  });
  const deployment = createRoute({
    getParentRoute: () => root,
    path: '/deployments/$deployment',
    component: function OneDeployment() {
      const { deployment: id } = deployment.useParams();
      return <DeploymentPage key={id} id={id} />;
    },
  });
  return createRouter({ routeTree: root.addChildren([now, environments, deployment]) });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
