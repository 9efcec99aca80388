import type { MemberRef, MemberState } from '../domain/balancer.ts';
import type { Command, NewDeployment } from '../domain/command.ts';
import type { ReleaseId, TaskId } from '../domain/ids.ts';
import type { RemoteTask } from '../ports/hosts.ts';
import type { Commit, Committed, Lease } from '../ports/journal.ts';
import type { Claim, ClaimedTask } from '../ports/task-board.ts';

/** What a command on a host is for. `check`: whether the service is well. `change`: a further step of a strategy that needs its target out of service. `look`: what people run beside. */
export type CommandKind =
  | 'check'
  | 'fetch'
  | 'install'
  | 'stop'
  | 'start'
  | 'reload'
  | 'change'
  | 'look'
  | 'other';

/** A process, and when it sent what has arrived now. */
export type Sender = { readonly process: string; readonly sentAtMs: number };

/** What really happened in the simulated world, told to the observer in the moment in which it did. */
export type Fact =
  | {
      readonly kind: 'command.started';
      readonly target: string;
      readonly what: CommandKind;
      readonly task: RemoteTask;
    }
  | {
      readonly kind: 'command.ended';
      readonly target: string;
      readonly what: CommandKind;
      readonly task: RemoteTask;
      readonly how: 'exited' | 'killed';
      readonly code: number;
    }
  | {
      readonly kind: 'member.changed';
      readonly target: string;
      readonly member: MemberRef;
      readonly before: MemberState;
      readonly after: MemberState;
      readonly by: 'edge' | 'world';
    }
  /** What Edge wrote to a member has arrived, whether or not it changed anything. */
  | {
      readonly kind: 'member.written';
      readonly target: string;
      readonly member: MemberRef;
      readonly sender: Sender;
      readonly to: 'out' | 'back';
    }
  | {
      readonly kind: 'service.changed';
      readonly target: string;
      readonly running: ReleaseId | null;
      readonly isWell: boolean;
      readonly by: 'edge' | 'world';
    }
  /** The monitors of the balancers see it as it is now. */
  | { readonly kind: 'health.seen'; readonly target: string }
  | { readonly kind: 'probe.answered'; readonly target: string; readonly version: string | null }
  | { readonly kind: 'deployment.created'; readonly made: NewDeployment }
  /** It is in the inbox of a deployment. */
  | { readonly kind: 'asked'; readonly command: Command }
  | {
      readonly kind: 'committed';
      readonly lease: Lease;
      readonly commit: Commit;
      readonly committed: Committed;
    }
  | { readonly kind: 'claimed'; readonly request: Claim; readonly tasks: readonly ClaimedTask[] }
  /** These leases were renewed. */
  | { readonly kind: 'renewed'; readonly tasks: readonly TaskId[] }
  /** A worker of another make says of a step only a part of what it should have seen. */
  | { readonly kind: 'report.halved'; readonly task: TaskId }
  | { readonly kind: 'fault.internal'; readonly where: string; readonly message: string };

export type Tell = (fact: Fact) => void;
