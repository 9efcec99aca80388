import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Input, Output } from '../../api/contract.ts';
import { EdgeError } from '../../domain/errors.ts';
import { type Choose, collect, newCommand } from '../command.ts';
import { dateAndTime, table } from '../format.ts';

export function addReleases(program: Command, choose: Choose): void {
  const releases = newCommand(
    program,
    'releases [project]',
    'Lists the releases of a project, the newest first.',
  ).action((project: string | undefined) => {
    if (project === undefined)
      throw new EdgeError('usage_invalid', 'A project is missing', {
        hint: 'Write `edge releases <project>`.',
      });
    choose(async (cli) => {
      const client = await cli.client();
      const found = await client.releases({ project });
      cli.answer(found, () => releaseLines(found.releases));
      return 0;
    });
  });
  addCreate(releases, choose);
}

type Artifact = { readonly name: string; readonly path: string };
type CreateOptions = {
  readonly artifact?: readonly Artifact[];
  readonly unpack: boolean;
  readonly repository?: string;
  readonly commit?: string;
  readonly ticket?: readonly string[];
  readonly author?: readonly string[];
};

function addCreate(releases: Command, choose: Choose): void {
  newCommand(
    releases,
    'create <project> <version>',
    'Makes a release of files on the machine of the server. The same content again gives the same release.',
  )
    .option(
      '-a, --artifact <name=path>',
      'a file and its name on the hosts; may be given several times',
      artifacts,
    )
    .option('--no-unpack', 'copy .tar.gz and .tgz files as they are; else they are unpacked')
    .option('--repository <url>', 'where the code is; with --commit')
    .option('--commit <hash>', 'the commit that was built; with --repository')
    .option('--ticket <key>', 'a ticket that is in it; may be given several times', collect)
    .option('--author <name>', 'who wrote what is in it; may be given several times', collect)
    .action((project: string, version: string, options: CreateOptions) => {
      const source = sourceOf(options);
      choose(async (cli) => {
        const client = await cli.client();
        const files = (options.artifact ?? []).map((file) =>
          artifactOf(file, cli.environment.folder, options.unpack),
        );
        const made = await client.createRelease({
          kind: 'release',
          project,
          version,
          artifacts: files,
          ...source,
        });
        cli.answer(made, () => [
          `${made.release} ${made.created ? 'is made' : 'exists already, with the same content'}.`,
        ]);
        return 0;
      });
    });
}

function artifacts(text: string, before: readonly Artifact[] | undefined): readonly Artifact[] {
  const [, name, path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || path === undefined) throw new InvalidArgumentError('Write it as name=path.');
  return [...(before ?? []), { name, path }];
}

/** Relative paths are of this working folder; the server needs them whole. */
function artifactOf(
  { name, path }: Artifact,
  folder: string,
  unpacks: boolean,
): NonNullable<Input<'createRelease'>['artifacts']>[number] {
  const unpack = unpacks && /\.(tar\.gz|tgz)$/.test(path) ? 'tar.gz' : 'none';
  return { name, path: resolve(folder, path), unpack };
}

function sourceOf({
  repository,
  commit,
  ticket,
  author,
}: CreateOptions): Pick<Input<'createRelease'>, 'source'> {
  const more = { ...(ticket && { tickets: [...ticket] }), ...(author && { authors: [...author] }) };
  if (repository !== undefined && commit !== undefined) return { source: { repository, commit, ...more } };
  if (repository === undefined && commit === undefined && !ticket && !author) return {};
  const hint = 'Give both, --repository and --commit; tickets and authors belong to them.';
  throw new EdgeError('usage_invalid', 'The source of a release is a repository and a commit', { hint });
}

export function releaseLines(releases: Output<'releases'>['releases']): readonly string[] {
  if (releases.length === 0) return ['There is no release yet: `edge releases create`.'];
  const rows = releases.map(({ id, version, createdAt, artifacts: built, files = [], source, bad }) => [
    version,
    id,
    dateAndTime(createdAt),
    [...built.map(({ name }) => name), ...files.map(({ path }) => path)].join(', '),
    source ? `${source.repository} ${source.commit.slice(0, 12)}` : '',
    bad ? `bad: ${bad.reason}` : '',
  ]);
  return table(['version', 'release', 'created', 'artifacts and files', 'source', ''], rows);
}
