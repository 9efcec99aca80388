import { type EdgeClient, edgeClient } from '../api/client.ts';
import { inertClient } from '../api/inert-client.ts';
import { uploadFile } from '../api/upload.ts';
import { EdgeError } from '../domain/errors.ts';
import { inertJson } from '../lib/inert-text.ts';
import type { CliEnvironment, ServerAccess } from './environment.ts';
import { Interrupts } from './interrupts.ts';
import { type Line, paint } from './view/line.ts';

/** Options that every command has. */
export type GlobalOptions = {
  readonly json: boolean;
  readonly color: boolean;
  readonly server?: string;
  readonly token?: string;
  readonly data?: string;
};

/** What a command of the CLI does, once its line is understood; resolves with the exit status. */
export type Job = (cli: Cli) => Promise<number>;

/** One run of the CLI: where its words go, and the server it speaks to. */
export class Cli {
  readonly environment: CliEnvironment;
  readonly options: GlobalOptions;
  readonly interrupts: Interrupts;
  readonly colours: boolean;
  #access: Promise<ServerAccess> | undefined;

  constructor(environment: CliEnvironment, options: GlobalOptions) {
    this.environment = environment;
    this.options = options;
    this.interrupts = new Interrupts(environment.onInterrupt);
    this.colours = environment.terminal.colours && options.color && !options.json;
  }

  get json(): boolean {
    return this.options.json;
  }

  /** The one answer of a command: the value with `--json`, else the lines. */
  answer(value: unknown, lines: () => readonly (string | Line)[]): void {
    if (this.json) this.jsonLine(value);
    else for (const line of lines()) this.say(line);
  }

  jsonLine(value: unknown): void {
    this.environment.stdout.write(`${inertJson(value)}\n`);
  }

  say(line: string | Line): void {
    const text = typeof line === 'string' ? line : paint(line, this.colours);
    this.environment.stdout.write(`${text}\n`);
  }

  /** Beside the answer, for people only. */
  note(text: string): void {
    if (!this.json) this.environment.stderr.write(`${text}\n`);
  }

  /** The server that was named, or that of the data folder; a server is found or started at the first call. */
  access(): Promise<ServerAccess> {
    this.#access ??= this.#find();
    return this.#access;
  }

  async client(): Promise<EdgeClient> {
    const { url, token } = await this.access();
    const client = edgeClient({ server: url, ...(token !== undefined && { token }) });
    return this.json ? client : inertClient(client);
  }

  /** Sends a file of this machine, and gives its digest. */
  async upload(path: string): Promise<string> {
    const { url, token } = await this.access();
    return uploadFile(path, { server: url, ...(token !== undefined && { token }) });
  }

  async close(): Promise<void> {
    this.interrupts.stop();
    const access = await this.#access?.catch(() => undefined);
    await access?.close();
  }

  async #find(): Promise<ServerAccess> {
    this.interrupts.start();
    const { settings, connect } = this.environment;
    const server = this.options.server ?? settings.server;
    const token = this.options.token ?? settings.token;
    const dataFolder = this.options.data ?? settings.dataFolder;
    const found =
      server === undefined
        ? await connect({ ...(dataFolder !== undefined && { dataFolder }) })
        : { url: addressOf(server), embedded: false, close: async () => {} };
    return { ...found, ...(token !== undefined && { token }) };
  }
}

/** Throws `settings_invalid`. */
function addressOf(server: string): string {
  if (URL.canParse(server) && /^https?:$/.test(new URL(server).protocol)) return server;
  throw new EdgeError('settings_invalid', `"${server}" is not the address of a server`, {
    hint: 'Write it as http://host:port, in --server or EDGE_SERVER.',
  });
}
