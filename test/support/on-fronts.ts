import { after, afterEach, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { FRONTS, type FrontKind, MISSING } from './fronts.ts';
import { openScene, type Scene } from './scene.ts';

const sshd = requireService('sshd');

type OnFronts = {
  /** What stands before the front in the name of the suite. */
  readonly title: string;
  /** First two numbers of the addresses of the hosts. */
  readonly network: string;
  readonly servers: number;
  readonly fronts?: readonly FrontKind[];
};

/** Declares a test of a scene; `only` names the fronts for which it makes sense. */
export type Shows = (
  words: string,
  body: (scene: Scene) => Promise<void>,
  only?: readonly FrontKind[],
) => void;

/** The same tests behind each front, which is named in their titles: each suite with a scene of its own. */
export function onFronts(options: OnFronts, declare: (shows: Shows) => void): void {
  for (const [index, kind] of (options.fronts ?? FRONTS).entries())
    describe(`${options.title} ${kind}`, { skip: sshd.skip ?? MISSING[kind] ?? false }, () => {
      const { network, servers } = options;
      let scene: Scene;
      before(async () => {
        scene = await openScene({
          ...{ sshdPath: sshd.path ?? '', network: `${network}.${index + 1}` },
          ...{ servers, fronts: [kind] },
        });
      });
      after(() => scene?.stop());
      afterEach(() => scene?.tidy());
      declare((words, body, only = FRONTS) => {
        if (only.includes(kind)) test(words, () => body(scene));
      });
    });
}
