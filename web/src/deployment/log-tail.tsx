import { memo, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { TargetView } from '../../../src/api/contract.ts';
import type { DeploymentId } from '../../../src/domain/ids.ts';
import { edge } from '../client.ts';
import { LogFeed, type LogLine } from '../live/log-feed.ts';
import { useStore } from '../live/store.ts';
import { Empty, Fault } from '../parts/notes.tsx';

type LogTailProps = {
  readonly deployment: DeploymentId;
  readonly targets: readonly TargetView[];
  readonly target: string | null;
  readonly onTarget: (name: string | null) => void;
};

/** What the commands on the targets write, as it comes. What hosts write is text here, whatever it is. */
export function LogTail({ deployment, targets, target, onTarget }: LogTailProps) {
  const [text, setText] = useState('');
  return (
    <section className="card log" aria-labelledby="log-title">
      <div className="head-line">
        <h2 id="log-title">Log</h2>
        <select
          aria-label="Log of which target"
          value={target ?? ''}
          onChange={({ target: { value } }) => onTarget(value === '' ? null : value)}
        >
          <option value="">all targets</option>
          <TargetOptions deployment={deployment} targets={targets} />
        </select>
        <input
          type="search"
          aria-label="Only lines with"
          placeholder="only lines with…"
          value={text}
          onChange={({ target: { value } }) => setText(value)}
        />
      </div>
      <Lines key={target ?? ''} deployment={deployment} target={target} text={text} />
    </section>
  );
}

/** The names of a plan never change. */
const TargetOptions = memo(
  function TargetOptions({ targets }: Pick<LogTailProps, 'deployment' | 'targets'>) {
    return targets.map(({ name }) => (
      <option key={name} value={name}>
        {name}
      </option>
    ));
  },
  (a, b) => a.deployment === b.deployment,
);

type LinesProps = Pick<LogTailProps, 'deployment' | 'target'> & { readonly text: string };

function Lines({ deployment, target, text }: LinesProps) {
  const [feed] = useState(() => new LogFeed(edge));
  const { lines, dropped, error } = useStore(feed.store);
  const frame = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const stop = new AbortController();
    void feed.run({ deployment, ...(target !== null && { target }) }, stop.signal);
    return () => stop.abort();
  }, [feed, deployment, target]);
  useLayoutEffect(() => {
    const { current } = frame;
    if (current && isAtEnd.current && lines.length > 0) current.scrollTop = current.scrollHeight;
  }, [lines]);
  const shown =
    text === '' ? lines : lines.filter((line) => line.text.toLowerCase().includes(text.toLowerCase()));
  return (
    <div
      ref={frame}
      className="log-lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard too
      tabIndex={0}
      role="log"
      aria-label="Log lines"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 30;
      }}
    >
      {error !== null && <Fault error={error} />}
      {dropped > 0 && <p className="dim">{dropped} lines before these: `edge logs` shows them all</p>}
      {shown.length === 0 && error === null && (
        <Empty title={text === '' ? 'Nothing has been written yet' : 'No line has that'} />
      )}
      {shown.map((line) => (
        <Line key={line.number} line={line} />
      ))}
    </div>
  );
}

const Line = memo(function Line({ line }: { readonly line: LogLine }) {
  return (
    <p>
      <span className="log-where">
        {line.target} {line.step}
      </span>{' '}
      {line.text}
    </p>
  );
});
