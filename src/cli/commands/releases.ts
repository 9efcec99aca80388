import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Input, Output } from '../../api/contract.ts';
import { EdgeError } from '../../domain/errors.ts';
import { dateAndTime, table } from '../../words/format.ts';
import { type Choose, collect, newCommand } from '../command.ts';
import type { Cli } from '../context.ts';

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
  readonly upload?: true;
  readonly unpack: boolean;
  readonly repository?: string;
  readonly commit?: string;
  readonly ticket?: readonly string[];
  readonly author?: readonly string[];
};

function addCreate(releases: Command, choose: Choose): void {
  newCommand(
    releases,
    'create <project-or-file> [version]',
    'Makes a release of files on the machine of the server, or of this one, or as a YAML file says. The same content again gives the same release.',
  )
    .option(
      '-a, --artifact <name=path>',
      'a file and its name on the hosts; may be given several times',
      artifacts,
    )
    .option('--upload', 'the files are on this machine, and are sent to the server')
    .option('--no-unpack', 'copy .tar.gz, .tgz, .tar and .zip files as they are; else they are unpacked')
    .option('--repository <url>', 'where the code is; with --commit')
    .option('--commit <hash>', 'the commit that was built; with --repository')
    .option('--ticket <key>', 'a ticket that is in it; may be given several times', collect)
    .option('--author <name>', 'who wrote what is in it; may be given several times', collect)
    .action((project: string, version: string | undefined, options: CreateOptions) => {
      const source = sourceOf(options);
      if (version === undefined) refuseOptions(project, options);
      choose(async (cli) => {
        const client = await cli.client();
        const release =
          version === undefined
            ? await (await import('../release-file.ts')).releaseIn(cli.environment.folder, project, (path) =>
                cli.upload(path),
              )
            : ({
                ...source,
                kind: 'release',
                project,
                version,
                artifacts: await artifactsOf(cli, options),
              } as const);
        const made = await client.createRelease(release);
        cli.answer(made, () => [
          `${made.release} ${made.created ? 'is made' : 'exists already, with the same content'}.`,
        ]);
        return 0;
      });
    });
}

/** Of a file nothing else is said on the line. */
function refuseOptions(file: string, options: CreateOptions): void {
  const isFile = /\.ya?ml$/.test(file);
  const isAlone = options.unpack && OF_A_RELEASE.every((name) => options[name] === undefined);
  if (isFile && isAlone) return;
  throw new EdgeError(
    'usage_invalid',
    isFile ? 'A file says all of its release itself' : 'A version is missing',
    {
      hint: 'Write `edge releases create <project> <version> --artifact …`, or `edge releases create <file>.yaml`.',
    },
  );
}

const OF_A_RELEASE = ['artifact', 'upload', 'repository', 'commit', 'ticket', 'author'] as const;

async function artifactsOf(
  cli: Cli,
  { artifact = [], unpack, upload }: CreateOptions,
): Promise<NewArtifact[]> {
  const made: NewArtifact[] = [];
  for (const { name, path } of artifact) {
    // Relative paths are of this working folder; the server needs them whole.
    const whole = resolve(cli.environment.folder, path);
    const place = upload ? { upload, sha256: await cli.upload(whole) } : { path: whole };
    made.push({ name, ...place, unpack: unpack ? unpackOf(path) : 'none' });
  }
  return made;
}

type NewArtifact = NonNullable<Input<'createRelease'>['artifacts']>[number];

function unpackOf(path: string): NonNullable<NewArtifact['unpack']> {
  const [, kind] = /\.(tar\.gz|tgz|tar|zip)$/.exec(path) ?? [];
  if (kind === 'tar' || kind === 'zip') return kind;
  return kind === undefined ? 'none' : 'tar.gz';
}

function artifacts(text: string, before: readonly Artifact[] | undefined): readonly Artifact[] {
  const [, name, path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || path === undefined) throw new InvalidArgumentError('Write it as name=path.');
  return [...(before ?? []), { name, path }];
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
