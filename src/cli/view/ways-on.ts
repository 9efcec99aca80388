import { placeOf, type Watched } from '../../words/watched.ts';

/** What people can do about a deployment that waits for approvals. */
export function waitingLines({ row: { id } }: Watched): readonly string[] {
  return [
    `approve it, as another person than who asked for it: \`edge approve ${id}\``,
    `let it start without, in an emergency: \`edge promote ${id} --reason …\``,
    `end it: \`edge abort ${id}\``,
  ];
}

/** What a person can do about a deployment that is paused, as command lines; what goes on with it comes first. */
export function waysOn({ row: { id, verb }, view: { targets, batches } }: Watched): readonly string[] {
  const failed = targets.find(({ status }) => status === 'failed' || status === 'unknown');
  const batch = failed && batches.find((each) => placeOf(each) === placeOf(failed));
  return [
    `go on: \`edge resume ${id}\``,
    ...(failed ? [`work on ${failed.name} again: \`edge retry ${id} ${failed.name}\``] : []),
    ...(failed?.status === 'unknown' && batch?.status === 'running'
      ? [`say how it ended: \`edge resolve ${id} ${failed.name} --as …\``]
      : []),
    ...(failed ? [`leave ${failed.name} out: \`edge skip ${id} ${failed.name}\``] : []),
    ...(verb === 'deploy' ? [`go back: \`edge rollback ${id}\``] : []),
    `end it: \`edge abort ${id}\``,
  ];
}
