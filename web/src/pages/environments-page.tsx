import { Link } from '@tanstack/react-router';
import type { DeploymentRow, ProjectEnvironmentStatus } from '../../../src/api/contract.ts';
import { counted, whatOf } from '../../../src/words/format.ts';
import { Empty, Fault, Skeleton } from '../parts/notes.tsx';
import { Sign, StatusPill } from '../parts/signs.tsx';
import { Ago, useNow } from '../parts/time.tsx';
import { useTitle } from '../parts/title.ts';
import { useOverview } from '../shell.tsx';
import { useStatus } from '../status.ts';

/** Which version is where, since when: projects down, environments across. */
export function EnvironmentsPage() {
  useTitle('Environments');
  const { data, error } = useStatus();
  return (
    <div className="page">
      <h1>Environments</h1>
      {error && <Fault error={error} />}
      {data ? <Matrix places={data} /> : error === null && <Skeleton lines={8} />}
    </div>
  );
}

function Matrix({ places }: { readonly places: readonly ProjectEnvironmentStatus[] }) {
  const environments = [...new Set(places.map(({ environment }) => environment))].sort(byText);
  const projects = [...new Set(places.map(({ project }) => project))].sort(byText);
  if (projects.length === 0)
    return (
      <Empty title="Edge does not know of any project yet">
        <p>
          <code>edge apply -f &lt;folder&gt;</code> tells it of projects and environments.
        </p>
      </Empty>
    );
  const cells = new Map(places.map((cell) => [`${cell.project}/${cell.environment}`, cell]));
  return (
    <section
      className="matrix-frame"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keyboard too
      tabIndex={0}
      aria-label="Versions by project and environment"
    >
      <table className="matrix">
        <thead>
          <tr>
            <th scope="col">Project</th>
            {environments.map((environment) => (
              <th key={environment} scope="col">
                {environment}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {projects.map((project) => (
            <tr key={project}>
              <th scope="row">{project}</th>
              {environments.map((environment) => (
                <td key={environment}>
                  <Cell cell={cells.get(`${project}/${environment}`)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Cell({ cell }: { readonly cell: ProjectEnvironmentStatus | undefined }) {
  const now = useNow(10_000);
  // The stream knows of a deployment sooner than the status that is asked now and then.
  const newest = useOverview().deployments.find(
    (row) => row.project === cell?.project && row.environment === cell.environment,
  );
  if (!cell) return <span className="dim">–</span>;
  const active = newest && !newest.ended ? newest : cell.active?.ended === false ? cell.active : null;
  const [most, ...others] = cell.releases;
  const since = most && cell.last?.release === most.release ? cell.last.endedAt : null;
  return (
    <div className="place">
      <p className="version">{most?.version ?? <span className="dim">nothing yet</span>}</p>
      <p className="dim">
        {counted(cell.targets, 'target')}
        {since !== null && (
          <>
            , since <Ago at={since} now={now} />
          </>
        )}
      </p>
      {others.length > 0 && (
        <p className="mixed">
          and {others.map(({ version, targets }) => `${version ?? 'nothing'} on ${targets}`).join(', ')}
        </p>
      )}
      {cell.parked.length > 0 && (
        <p className="mixed">
          <Sign name="parked" />
          {counted(cell.parked.length, 'target')} parked
        </p>
      )}
      <Shown row={active ?? cell.last} isLive={active !== null} />
    </div>
  );
}

function Shown({ row, isLive }: { readonly row: DeploymentRow | null; readonly isLive: boolean }) {
  if (!row) return null;
  return (
    <Link to="/deployments/$deployment" params={{ deployment: row.id }} className="shown">
      <StatusPill status={row.status} isLive={isLive && row.status === 'running'} /> {whatOf(row)}
    </Link>
  );
}

const byText = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });
