import { remoteIdOf } from '../../actions/remote-command.ts';
import type { TaskId } from '../../domain/ids.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import { CANARY_SECRET } from '../outside.ts';

/** What a command wrote, as its host knows it, and masked. */
type Written = { readonly target: string; readonly text: string };

/** I15: what is kept of a command's output is what it wrote, from the first byte, in order, nothing missing and nothing twice. */
export const logs: MakeInvariant = (eyes) => {
  const written = new Map<string, Written>();
  return {
    see: (fact) => {
      if (fact.kind !== 'command.ended' || (fact.what !== 'stop' && fact.what !== 'start')) return;
      const output = eyes.world.hosts.host(fact.target).command(fact.task.id)?.output;
      const text = output?.toString().replaceAll(CANARY_SECRET, '***') ?? '';
      written.set(fact.task.id, { target: fact.target, text });
    },
    end: () => checkAll(eyes, written),
  };
};

type Row = { readonly task: TaskId; readonly text: string };

function checkAll(eyes: Eyes, written: ReadonlyMap<string, Written>): void {
  const rows = eyes.store.look<{ task: TaskId; body: string }>('SELECT task, body FROM output ORDER BY id');
  const kept: readonly Row[] = [...Map.groupBy(rows, ({ task }) => task)].map(([task, of]) => {
    return { task, text: of.map(({ body }) => body).join('') };
  });
  const whole = wholeTasks(eyes);
  for (const { task, text } of kept) {
    const truth = written.get(remoteIdOf(task, 0));
    if (!truth) continue;
    eyes.checked('I15');
    const isRight = whole.has(task) ? truth.text === text : truth.text.startsWith(text);
    if (!isRight)
      eyes.violate(
        'I15',
        `${task} on ${truth.target} wrote ${JSON.stringify(truth.text)}; kept is ${JSON.stringify(text)}`,
      );
  }
}

/** Tasks whose command was followed to its end. */
function wholeTasks({ store }: Eyes): ReadonlySet<string> {
  const rows = store.look<{ id: string }>(
    `SELECT deployment || '/' || json_extract(body, '$.target') || '/' || json_extract(body, '$.step') || '/' || json_extract(body, '$.group') AS id
     FROM events WHERE json_extract(body, '$.kind') = 'task.succeeded'`,
  );
  return new Set(rows.map(({ id }) => id));
}
