import { parseArgs } from 'node:util';
import { requireService } from '../scripts/services.ts';
import { fanOut } from '../test/support/artifact-fan-out.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  size: { type: 'string', default: '500' },
  targets: { type: 'string', default: '20' },
} as const;

/** An artifact of 500 MB to 20 hosts over one worker, which is killed in the middle of its pull. Needs twice that on the disk of each. */
export async function benchArtifact(args: readonly string[]): Promise<void> {
  const { json, size, targets } = parseArgs({ args: [...args], options: OPTIONS }).values;
  const { path, skip } = requireService('sshd');
  if (path === undefined) throw new Error(skip);
  const began = performance.now();
  const sizeBytes = Number(size) * 1_000_000;
  const seen = await fanOut({ sshdPath: path, network: '127.90.4', targets: Number(targets), sizeBytes });
  const wallS = Math.round((performance.now() - began) / 1_000);
  const { pulls, serverPeakMb, workerPeakMb, resumed, digestsRight } = seen;
  const figures = {
    ...{ sizeMb: Number(size), targets: Number(targets), pulls, serverPeakMb, workerPeakMb },
    ...{ resumed, digestsRight, wallS },
  };
  if (json) console.log(JSON.stringify(figures));
  else console.table(figures);
}
