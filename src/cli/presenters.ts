import type { WatchItem } from '../api/contract.ts';
import { eventLine } from '../words/event-line.ts';
import { counted, took, whatOf } from '../words/format.ts';
import { advanceView, type Watched } from '../words/watched.ts';
import type { Cli } from './context.ts';
import { line, paint, textOf } from './view/line.ts';
import { LiveScreen } from './view/live-screen.ts';
import { screenLines } from './view/screen.ts';

/** How a deployment that is followed is shown. */
export type Presenter = {
  /** The least time between two frames, and the longest; `null`: shown when something comes. */
  readonly frames: { readonly leastMs: number; readonly mostMs: number } | null;
  /** Tells what happened, and not only how things stand: it wants the events that were before. */
  readonly tells: boolean;
  readonly begin: (watched: Watched) => void;
  /** `before` is how it stood, `after` how it stands once the items came. */
  readonly show: (items: readonly WatchItem[], before: Watched, after: Watched) => void;
  readonly end: (watched: Watched) => void;
};

/** `answer`: the end is one JSON value, which the command gives; `stream`: every item is one. */
export function presenterOf(cli: Cli, json: 'answer' | 'stream'): Presenter {
  if (cli.json) return json === 'stream' ? jsonLines(cli) : silent;
  return cli.environment.terminal.redraws ? liveScreen(cli) : eventLog(cli);
}

/** What follows says how it ended, and nothing of the way there. */
const silent: Presenter = {
  frames: null,
  tells: false,
  begin: () => {},
  show: () => {},
  end: () => {},
};

function jsonLines(cli: Cli): Presenter {
  const show = (items: readonly WatchItem[]) => {
    for (const item of items) cli.jsonLine(item);
  };
  return { frames: null, tells: true, begin: () => {}, show, end: () => {} };
}

/** Redrawn in place, ten times a second at most, and once a second for the times. */
function liveScreen(cli: Cli): Presenter {
  const { terminal, stdout, now } = cli.environment;
  let screen: LiveScreen | undefined;
  const draw = (watched: Watched) => {
    const { columns, rows } = terminal.size();
    const lines = screenLines(watched, now(), { columns, rows: Math.max(1, rows - 1) });
    const painted = lines.map((each) => paint(each, cli.colours));
    screen ??= new LiveScreen((text) => stdout.write(text));
    screen.draw({ plain: lines.map(textOf), painted }, columns);
  };
  return {
    frames: { leastMs: 100, mostMs: 1_000 },
    tells: false,
    // A deployment that follows another one leaves its last frame, and so its reason, where it is.
    begin: (watched) => {
      screen = undefined;
      draw(watched);
    },
    show: (_items, _before, after) => draw(after),
    end: draw,
  };
}

/** One line for each event that people care for, between a line that says what it is and one that sums it up. */
function eventLog(cli: Cli): Presenter {
  const say = (text: string) => cli.say(line(text));
  let notice: string | null = null;
  return {
    frames: null,
    tells: true,
    begin: ({ row }) => say(`${row.id}: ${whatOf(row)}, ${row.project} → ${row.environment}`),
    show: (items, before, after) => {
      let view = before.view;
      for (const item of items) {
        view = advanceView(view, [item]);
        const text = item.kind === 'event' ? eventLine(item, view) : null;
        if (text !== null) say(text);
      }
      if (after.notice !== notice && after.notice !== null) cli.note(after.notice);
      notice = after.notice;
    },
    end: (watched) => {
      if (watched.view.overall.endedAt !== null) say(sumOf(watched));
    },
  };
}

function sumOf({ row, view: { overall } }: Watched): string {
  const { status, startedAt, endedAt, counts } = overall;
  const time = startedAt !== null && endedAt !== null ? ` in ${took(endedAt - startedAt)}` : '';
  const done = [
    `${counts.succeeded} of ${counted(counts.total, 'target')} done`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
  ];
  return `${row.id}: ${status}${time}, ${done.join(', ')}`;
}
