import { shellQuoteAll } from './shell-quote.ts';

/** What of a command for a host stands in scripts and paths: its id and names as they are, its values quoted. */
export type CommandWords = {
  readonly id: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly script?: { readonly content: string; readonly sha256: string };
};

/** Why no host can be given this command; `undefined` if every host can. */
export function commandFault({ id, argv, env, cwd = '', script }: CommandWords): string | undefined {
  if (!/^[0-9a-f]{8,64}$/.test(id)) return `${JSON.stringify(id)} is not an id of a task`;
  if (argv.length === 0) return 'it has no words';
  const badName = Object.keys(env).find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (badName !== undefined) return `${JSON.stringify(badName)} is not the name of a variable`;
  if (script && !/^[0-9a-f]{64}$/.test(script.sha256))
    return `${JSON.stringify(script.sha256)} is not a digest`;
  try {
    shellQuoteAll([...argv, ...Object.values(env), cwd, script?.content ?? '']);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
