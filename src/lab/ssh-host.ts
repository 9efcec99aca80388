import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type Session } from 'ssh2';
import { type RunningCommand, runCommand } from './ssh-host-exec.ts';
import { newKeyPair, parsePublicKey, sameBytes } from './ssh-host-keys.ts';
import { HOST_MARKER, isGroupAlive, killProcessesOf } from './ssh-host-processes.ts';
import { searchPath, writePrograms } from './ssh-host-programs.ts';

export type SshHostOptions = {
  readonly name: string;
  /** The host's own folder: home and working directory of its commands. Made if it is not there. */
  readonly folder: string;
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly user: string;
  /** The only key that may log in, as `ssh-ed25519 AAAA…`. */
  readonly clientKey: string;
};

/** As sshd's defaults: MaxAuthTries and MaxSessions. */
const MAX_AUTH_TRIES = 6;
const MAX_SESSIONS = 10;
/** A reset is refused, and leaves the socket open for ever, once its sending side has been shut (Node 24, libuv). */
function cut(socket: Socket): void {
  if (socket.writable) socket.resetAndDestroy();
  else socket.destroy();
}

/**
 * A host of the lab: a real SSH server on a loopback address that runs real commands as real processes in a folder.
 * It is no sandbox: commands see the whole machine, as the user who started the lab. It has no terminal, no sudo, no
 * forwarding and no SFTP.
 */
export class SshHost {
  readonly name: string;
  readonly folder: string;
  readonly address: string;
  readonly user: string;
  /** The public host key, as `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
  readonly #clientKey: ParsedKey;
  readonly #ssh: ssh2.Server;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  /** Process groups in which something may still be alive. */
  readonly #groups = new Set<number>();

  private constructor(options: SshHostOptions) {
    const hostKey = newKeyPair();
    this.name = options.name;
    this.folder = options.folder;
    this.address = options.address;
    this.user = options.user;
    this.publicKey = hostKey.publicKey;
    this.#clientKey = parsePublicKey(options.clientKey);
    this.#ssh = new ssh2.Server({ hostKeys: [hostKey.privateKey], ident: 'EdgeLab' });
    this.#ssh.on('connection', (connection) => this.#serve(connection));
    // ssh2 leaves Nagle's algorithm on, which costs 40 ms and more on each command.
    this.#listener = createServer({ noDelay: true }, (socket) => this.#admit(socket));
  }

  /** Starts a host. Kills what an earlier lab may have left in the folder. Rejects with EADDRINUSE and the like. */
  static async start(options: SshHostOptions): Promise<SshHost> {
    const host = new SshHost(options);
    host.#listener.listen(options.port, options.address);
    await once(host.#listener, 'listening');
    killProcessesOf(host.folder, []);
    await writePrograms(host.folder);
    return host;
  }

  get port(): number {
    const bound = this.#listener.address();
    return bound !== null && typeof bound === 'object' ? bound.port : 0;
  }

  /** Breaks all connections at once, as a network does; the commands on the host go on. Gives their number. */
  cutConnections(): number {
    const count = this.#sockets.size;
    for (const socket of this.#sockets) cut(socket);
    return count;
  }

  /** Kills every process of this host, now. */
  killProcesses(): void {
    killProcessesOf(this.folder, this.#groups);
    this.#groups.clear();
  }

  /** Ends the server and everything that runs on the host. */
  async stop(): Promise<void> {
    if (this.#listener.listening) {
      this.#listener.close();
      this.cutConnections();
      await once(this.#listener, 'close');
    }
    this.killProcesses();
  }

  #admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#ssh.injectSocket(socket);
  }

  #serve(connection: Connection): void {
    const running = new Set<RunningCommand>();
    let tries = 0;
    connection.on('authentication', (context) => {
      if (this.#authenticate(context)) return;
      if (context.method !== 'none') tries += 1;
      if (tries >= MAX_AUTH_TRIES) connection.end();
    });
    connection.on('session', (accept, reject) => {
      if (running.size < MAX_SESSIONS) this.#serveSession(accept(), running);
      else reject();
    });
    // A lost connection is what the lab is there to show; sshd only logs it.
    connection.on('error', () => {});
    connection.on('close', () => {
      for (const command of running) command.detach();
    });
  }

  #authenticate(context: AuthContext): boolean {
    const isAllowed = context.method === 'publickey' && this.#isClient(context);
    if (isAllowed) context.accept();
    else context.reject(['publickey']);
    return isAllowed;
  }

  #isClient(context: Extract<AuthContext, { method: 'publickey' }>): boolean {
    const sameUser = sameBytes(Buffer.from(context.username), Buffer.from(this.user));
    const sameKey = sameBytes(context.key.data, this.#clientKey.getPublicSSH());
    if (!sameUser || !sameKey) return false;
    // Without a signature the client only asks whether this key would do.
    if (!context.signature || !context.blob) return true;
    return this.#clientKey.verify(context.blob, context.signature, context.hashAlgo) === true;
  }

  #serveSession(session: Session, running: Set<RunningCommand>): void {
    session.once('exec', (accept, _reject, { command }) => {
      const channel = accept();
      const options = { command, folder: this.folder, environment: this.#environment() };
      const started = runCommand(channel, options);
      running.add(started);
      channel.once('close', () => running.delete(started));
      session.on('signal', (_accept, _reject, { name }) => started.signal(name));
      this.#remember(started);
    });
  }

  #remember({ group, exited }: RunningCommand): void {
    if (group === undefined) return;
    this.#groups.add(group);
    void exited.then(() => {
      if (!isGroupAlive(group)) this.#groups.delete(group);
    });
  }

  #environment(): Readonly<Record<string, string>> {
    return {
      HOME: this.folder,
      USER: this.user,
      LOGNAME: this.user,
      SHELL: '/bin/sh',
      PATH: searchPath(this.folder),
      [HOST_MARKER]: this.folder,
    };
  }
}
