import { useQuery } from '@tanstack/react-query';
import type { Overall } from '../../../src/api/contract.ts';
import { floorOf } from '../../../src/domain/capacity.ts';
import { BATCH_HEIGHT, type BatchRow, batchTimelineOf } from '../charts/batch-timeline.ts';
import { type CapacityChart, capacityOf } from '../charts/capacity.ts';
import { plotSides, type Times } from '../charts/time-scale.ts';
import { edge } from '../client.ts';
import type { Live } from '../live/deployment.ts';
import { signShape } from '../parts/signs.tsx';
import { useWidth } from '../parts/use-width.ts';
import { useStatus } from '../status.ts';
import { Axis } from './axis.tsx';
import { batchStatus } from './batch-status.ts';
import { useMoment } from './moment.ts';

/** When each batch was worked on, what is to come, and the capacity that was left meanwhile. */
export function Timeline({ live }: { readonly live: Live }) {
  const { view, lanes } = live;
  const [frame, width] = useWidth<HTMLDivElement>();
  const { now, left, times } = useMoment(live);
  const chart = width > 0 ? batchTimelineOf({ view, lanes, now, times, width, left }) : null;
  return (
    <section className="card" aria-labelledby="batches-title">
      <h2 id="batches-title">Batches</h2>
      <div ref={frame}>
        {chart && (
          <svg
            width={chart.width}
            height={chart.height}
            role="img"
            aria-label={wordsOf(chart.rows, view.overall)}
          >
            <Axis ticks={chart.ticks} height={chart.height} />
            {chart.expected && (
              <rect
                className="expected"
                x={chart.expected.x}
                y={16}
                width={Math.max(2, chart.expected.lateX - chart.expected.x)}
                height={chart.height - 16}
              />
            )}
            {chart.rows.map((row) => (
              <Row key={row.y} row={row} width={chart.width} overall={view.overall} />
            ))}
            {chart.nowX !== null && (
              <line className="now" x1={chart.nowX} x2={chart.nowX} y1={16} y2={chart.height} />
            )}
          </svg>
        )}
        {width > 0 && <Capacity {...{ live, now, times, width }} />}
      </div>
    </section>
  );
}

const wordsOf = (rows: readonly BatchRow[], overall: Overall): string => {
  const each = rows.map(({ label, done, batch }) => `${label} ${batchStatus(batch, overall)} ${done}`);
  return `Batches over time: ${each.join(', ')}`;
};

type RowProps = { readonly row: BatchRow; readonly width: number; readonly overall: Overall };

function Row({ row, width, overall }: RowProps) {
  const { batch, label, y, bar, done } = row;
  const status = batchStatus(batch, overall);
  return (
    <g className={`is-${status}`} transform={`translate(0 ${y})`}>
      <svg x={0} y={4} width={16} height={16} viewBox="0 0 16 16" className="shape" aria-hidden="true">
        {signShape(status)}
      </svg>
      <text x={22} y={16}>
        {label}
      </text>
      {bar && (
        <>
          <rect className="bar-whole" x={bar.x} y={5} width={bar.width} height={BATCH_HEIGHT - 10} rx={3} />
          <rect
            className="bar-done"
            x={bar.x}
            y={5}
            width={bar.doneWidth}
            height={BATCH_HEIGHT - 10}
            rx={3}
          />
        </>
      )}
      <text x={width - 4} y={16} textAnchor="end" className="dim-text">
        {done}
      </text>
    </g>
  );
}

type CapacityProps = {
  readonly live: Live;
  readonly now: number;
  readonly times: Times;
  readonly width: number;
};

/** One picture for each pool that it takes members from: those of this plan, and the floor where it works on all of them. */
function Capacity({ live, now, times, width }: CapacityProps) {
  const { row, lanes, view } = live;
  const { data: plan } = useQuery({
    queryKey: ['plan', row.id],
    queryFn: async () => (await edge.deploymentPlan({ deployment: row.id })).plan,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const place = useStatus().data?.find(
    ({ project, environment }) => project === row.project && environment === row.environment,
  );
  if (!plan) return null;
  const isWhole = place?.targets === view.overall.counts.total;
  return [...lanes.pools.values()].map(({ balancer, pool, taken }) => {
    const isOfPool = (one: { balancer: string; pool: string }) =>
      one.balancer === balancer && one.pool === pool;
    const own = plan.targets.filter((target) => target.members.some(isOfPool));
    const members = own.filter(({ inServiceBefore }) => inServiceBefore).length;
    const found = plan.floors.find((one) => isOfPool(one) && !one.zone);
    const floor = found && isWhole ? floorOf(found.floor, own.length) : null;
    if (members === 0) return null;
    const chart = capacityOf({ taken, members, floor, times, now, width });
    return <PoolChart key={`${balancer}/${pool}`} {...{ chart, pool, floor, members }} />;
  });
}

type PoolChartProps = {
  readonly chart: CapacityChart;
  readonly pool: string;
  readonly floor: number | null;
  readonly members: number;
};

function PoolChart({ chart, pool, floor, members }: PoolChartProps) {
  const [left, right] = plotSides(chart.width);
  const said = `lowest ${chart.lowest} of ${members}${floor === null ? '' : `, floor ${floor}`}`;
  return (
    <figure className="capacity">
      <figcaption>
        In service in <code>{pool}</code> <span className="dim">{said}</span>
      </figcaption>
      <svg width={chart.width} height={chart.height} role="img" aria-label={`In service in ${pool}: ${said}`}>
        <Axis ticks={chart.ticks} height={chart.height} />
        {chart.levels.map(({ y, label }) => (
          <text key={label} x={left - 8} y={y + 4} textAnchor="end" className="dim-text">
            {label}
          </text>
        ))}
        <path className="capacity-area" d={chart.areaPath} />
        <path className="capacity-line" d={chart.linePath} />
        {chart.floorY !== null && (
          <>
            <line className="floor" x1={left} x2={right} y1={chart.floorY} y2={chart.floorY} />
            <text x={right + 6} y={chart.floorY + 4} className="floor-label">
              floor
            </text>
          </>
        )}
      </svg>
    </figure>
  );
}
